import { beforeEach, expect, it } from 'vitest';
import { FakeClock } from '../../test/simulation/fake-clock.ts';
import { Readiness } from './readiness.ts';

let clock: FakeClock;
let readiness: Readiness;

beforeEach(() => {
  clock = new FakeClock(0);
  readiness = new Readiness(clock);
});

it('gives nobody time who never asked', () => {
  expect(readiness.noticeMs()).toBe(0);
});

it('gives a balancer time to ask twice more', async () => {
  for (let asked = 0; asked < 5; asked++) {
    expect(readiness.ask()).toBe(true);
    await clock.advance(2_000);
  }
  expect(readiness.noticeMs()).toBe(5_000);
  readiness.drain();
  expect(readiness.ask()).toBe(false);
});

it('goes by the slowest of several', async () => {
  for (let asked = 0; asked < 10; asked++) {
    readiness.ask();
    await clock.advance(asked % 2 === 0 ? 100 : 900);
  }
  expect(readiness.noticeMs()).toBeGreaterThan(1_000);
});

it('assumes a second when it was asked once, and never waits long', async () => {
  readiness.ask();
  expect(readiness.noticeMs()).toBe(2_500);
  await clock.advance(30_000);
  readiness.ask();
  expect(readiness.noticeMs()).toBe(15_000);
});

it('forgets who has not asked for a minute', async () => {
  readiness.ask();
  await clock.advance(61_000);
  expect(readiness.noticeMs()).toBe(0);
});
