import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { deployment } from '../../test/journeys/control-plane.ts';
import { FakeClock } from '../../test/simulation/fake-clock.ts';
import { HealthChecks } from './health-checks.ts';

it('calls every deployment each interval, a few at a time, while it is wanted', async () => {
  const clock = new FakeClock(0);
  const settings = { enabled: false, intervalMs: 60_000, concurrency: 2 };
  const calls: string[] = [];
  let atOnce = 0;
  let atOnceMax = 0;
  const quiet = { ...deployment('quiet'), modelInfo: { disable_background_health_check: true } };
  const checks = new HealthChecks({
    clock,
    settings: () => settings,
    deployments: () => [
      deployment('a'),
      deployment('b'),
      deployment('c'),
      quiet,
      { ...deployment('d'), blocked: true },
    ],
    probe: async ({ id }) => {
      calls.push(id);
      atOnce += 1;
      atOnceMax = Math.max(atOnceMax, atOnce);
      await turnOfLoop();
      atOnce -= 1;
      if (id === 'c') throw new Error('a probe that breaks');
      return {
        healthy: id !== 'b',
        asked: true,
        error: id === 'b' ? 'down' : null,
        status: 200,
        durationMs: 1,
        headers: {},
      };
    },
  });
  const stop = checks.start();
  await clock.advance(30_000);
  expect(calls).toEqual([]);
  settings.enabled = true;
  await clock.advance(20_000);
  for (let turn = 0; turn < 5; turn++) await turnOfLoop();
  expect([calls, atOnceMax]).toEqual([['a', 'b', 'c'], 2]);
  expect(checks.latest('b')).toMatchObject({ healthy: false, error: 'down' });
  expect([checks.latest('c'), checks.latest('quiet')]).toEqual([null, null]);
  await clock.advance(61_000);
  for (let turn = 0; turn < 5; turn++) await turnOfLoop();
  expect(calls).toHaveLength(6);
  expect(checks.history.map(({ deployment: { id } }) => id)).toEqual(['b', 'a', 'b', 'a']);
  stop();
  await clock.advance(600_000);
  expect(calls).toHaveLength(6);
});

it('is made by one replica for all where they share, and by each while nobody can tell', async () => {
  const clock = new FakeClock(0);
  let turnUntil = 0;
  let note: string | null = null;
  let isThere = true;
  const notes = {
    takeTurn: async (forMs: number) => {
      if (!isThere) return null;
      if (clock.now() < turnUntil) return false;
      turnUntil = clock.now() + forMs;
      return true;
    },
    read: async () => note,
    write: async (text: string) => {
      note = text;
    },
  };
  const told: string[] = [];
  const asked = [0, 0];
  const replicas = asked.map(
    (_, index) =>
      new HealthChecks({
        clock,
        notes,
        settings: () => ({ enabled: true, intervalMs: 60_000, concurrency: null, isShared: true }),
        deployments: () => [deployment('a')],
        onChecked: ({ id }, { healthy }) => told.push(`${index} ${id} ${healthy}`),
        probe: async () => {
          asked[index]! += 1;
          return { healthy: false, asked: true, error: 'down', status: 500, durationMs: 1, headers: {} };
        },
      }),
  );
  const stops = replicas.map((replica) => replica.start());
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 1_000) {
      await clock.advance(1_000);
      for (let turn = 0; turn < 5; turn++) await turnOfLoop();
    }
  };
  await pass(50_000);
  expect(asked[0]! + asked[1]!).toBe(1);
  expect(told.toSorted()).toEqual(['0 a false', '1 a false']);
  expect(replicas.map((replica) => replica.latest('a')?.error)).toEqual(['down', 'down']);
  await pass(180_000);
  expect(asked[0]! + asked[1]!).toBe(4);
  isThere = false;
  await pass(120_000);
  expect(asked[0]! + asked[1]!).toBeGreaterThanOrEqual(7);
  expect(asked[0]! + asked[1]!).toBeLessThanOrEqual(9);
  for (const stop of stops) stop();
});
