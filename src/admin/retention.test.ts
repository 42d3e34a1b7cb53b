import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import { requestRecord } from '../../test/contract/records.ts';
import { FakeClock } from '../../test/simulation/fake-clock.ts';
import { writeRecordFile } from '../adapters/record-file.ts';
import { openSqliteStore } from '../adapters/sql/sqlite.ts';
import { parseCron } from '../core/cron.ts';
import type { Clock } from '../core/ports.ts';
import { startRetention } from './retention.ts';

const dayMs = 86_400_000;
const folder = mkdtempSync(join(tmpdir(), 'tollgate-archive-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('writes a file for each day before the rows go, once over all processes; sums stay', async () => {
  const store = await openSqliteStore({ file: ':memory:' });
  const at = (id: string, startedAt: number) => ({
    record: requestRecord(id, { startedAt, endedAt: startedAt + 5, cost: 1 }),
    accounts: [],
  });
  const many = Array.from({ length: 1_200 }, (_, index) => at(`r${index}`, index));
  await store.books.apply({ processId: 'p', entries: [...many, at('kept', 10 * dayMs)] });

  const waiting: (() => unknown)[] = [];
  const clock: Clock = {
    now: () => 12 * dayMs + 5_000,
    tick: () => 0,
    setTimer: (_, callback) => {
      waiting.push(callback);
      return { cancel: () => {} };
    },
  };
  const errors: string[] = [];
  const log = { debug() {}, info() {}, warn: (text: string) => errors.push(text), error() {} };
  const settings = () => ({ keptMs: 3 * dayMs, intervalMs: null, schedule: null, archiveFolder: folder });
  const start = () =>
    startRetention(store, clock, log, settings, (where, name, pages) => writeRecordFile(join(where, name), pages));
  const stops = [start(), start()];
  await Promise.all(waiting.splice(0).map((sweep) => sweep()));
  for (const stop of stops) stop();

  expect(errors).toEqual([]);
  expect(readdirSync(folder)).toEqual(['requests-before-1970-01-10.jsonl.gz']);
  const lines = gunzipSync(readFileSync(join(folder, readdirSync(folder)[0]!)))
    .toString()
    .trimEnd()
    .split('\n');
  const ids = lines.map((line) => (JSON.parse(line) as { id: string }).id);
  expect([ids.length, new Set(ids).size, ids[0], ids.includes('kept')]).toEqual([1_200, 1_200, 'r0', false]);
  expect(await store.usage.count({})).toBe(1);
  expect(await store.usage.summarize({}, [])).toMatchObject([{ requests: 1_201, cost: 1_201 }]);
  await store.close();
});

it('never replaces a file, and leaves none that is not whole', async () => {
  async function* pages(fails: boolean) {
    yield [requestRecord('a')];
    if (fails) throw new Error('the database went away');
  }
  const wanted = join(folder, 'deep', 'requests.jsonl');
  expect(await writeRecordFile(wanted, pages(false))).toEqual({ file: wanted, count: 1 });
  expect((await writeRecordFile(wanted, pages(false))).file).toBe(join(folder, 'deep', 'requests-2.jsonl'));
  await expect(writeRecordFile(join(folder, 'bad.jsonl'), pages(true))).rejects.toThrow('went away');
  expect(readdirSync(folder)).toEqual(['deep']);
});

it('waits for the moment that a schedule names, and sweeps everything else as ever', async () => {
  const clock = new FakeClock(Date.parse('2026-11-25T01:55:00Z'));
  const time = () => new Date(clock.now()).toISOString().slice(11, 19);
  const removals: string[] = [];
  const sweeps: string[] = [];
  const nothing = { removeExpired: async () => 0 };
  const store = {
    usage: { removeBefore: async () => removals.push(time()), fold: async () => sweeps.push(time()) },
    idempotency: nothing,
    objects: nothing,
  };
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const settings = { keptMs: dayMs, intervalMs: null, schedule: parseCron('0 2 * * *'), archiveFolder: null };
  const stop = startRetention(
    store as never,
    clock,
    log,
    () => settings,
    async () => ({ file: '', count: 0 }),
  );
  for (let second = 0; second < 30 * 60; second += 10) await clock.advance(10_000);
  stop();
  expect(removals).toEqual(['02:00:00']);
  expect(sweeps).toEqual(['01:55:30', '02:00:00', '02:10:00', '02:20:00']);
});
