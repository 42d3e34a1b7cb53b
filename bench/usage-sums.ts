import pg from 'pg';
import { startPostgres } from '../scripts/servers/postgres.ts';
import { openPostgresStore } from '../src/adapters/sql/postgres.ts';
import { searchRequests } from '../src/admin/usage/search.ts';
import type { UsageDimension, UsageFilter } from '../src/core/store.ts';
import { table } from '../src/core/text-table.ts';
import { days, fillRows, fillSums, first, today } from './usage-fill.ts';

/*
 * How long questions about usage take when a hundred million requests have been summed, and searches among as many single
 * requests as `--rows` says. `node bench/usage-sums.ts` takes about two minutes; each million rows takes about half a minute
 * more and 1.2 GB of disk.
 */

const requests = 100_000_000;
const dayMs = 86_400_000;
const rowsWanted = Number(process.argv[process.argv.indexOf('--rows') + 1] ?? 0) || 0;

const server = await startPostgres();
const store = await openPostgresStore({ url: server.url });
const client = new pg.Client({ connectionString: server.url });
await client.connect();

const started = performance.now();
await fillSums(client, requests);
// As a gateway leaves them: what is over is moved within the hour.
await store.usage.fold(Date.now() - dayMs, Date.now() - 600_000);
await client.query('vacuum analyze usage_past_hours, usage_hours, usage_days, usage_owner_days, usage_owner_weeks');
if (rowsWanted > 0) await fillRows(client, rowsWanted);
const filledMs = performance.now() - started;

const ago = (count: number) => ({ from: today - (count - 1) * dayMs, to: today + dayMs });
const questions: readonly (readonly [string, UsageFilter, readonly UsageDimension[]])[] = [
  ['all, 30 days', ago(30), []],
  ['by model, 30 days', ago(30), ['modelUsed']],
  ['by team and status, 30 days', ago(30), ['teamId', 'status']],
  ['by key, 90 days', ago(90), ['keyId']],
  ['by day and provider, 90 days', ago(90), ['day', 'provider']],
  ['by hour and model, 48 hours', { from: today - dayMs, to: today + dayMs }, ['hour', 'modelUsed']],
  ['one key by day, 30 days', { ...ago(30), keyId: 'key7' }, ['day']],
  ['one team by model, 90 days', { ...ago(90), teamId: 'team3' }, ['modelUsed']],
  ['by tag, 30 days', ago(30), ['tag']],
  ['one end user by day, 90 days', { ...ago(90), endUserId: 'customer42' }, ['day']],
  ['by end user, 7 days', ago(7), ['endUserId']],
];
const rows: string[][] = [];
for (const [name, filter, by] of questions) {
  const times: { sums: number[]; measures: number[] } = { sums: [], measures: [] };
  for (let turn = 0; turn < 7; turn++) {
    let at = performance.now();
    await store.usage.summarize(filter, by);
    times.sums.push(performance.now() - at);
    at = performance.now();
    await store.usage.measure(filter, by);
    times.measures.push(performance.now() - at);
  }
  const middle = (list: number[]) => list.sort((one, other) => one - other)[3]!.toFixed(1);
  rows.push([name, middle(times.sums), middle(times.measures)]);
}
const [total] = await store.usage.summarize(ago(days), []);
const size = await client.query(
  "select pg_size_pretty(sum(pg_total_relation_size(oid))) as size from pg_class where relname in ('usage_days', 'usage_hours', 'usage_past_hours', 'usage_owner_days', 'usage_owner_weeks', 'usage_named', 'usage_series')",
);
console.log(
  `${total!.requests} requests summed over ${days} days; tables of sums: ${size.rows[0].size}; filled in ${(filledMs / 1_000).toFixed(0)} s\n`,
);
console.log(table(['QUESTION', 'SUMS, ms', 'WITH PERCENTILES, ms'], rows));

if (rowsWanted > 0) {
  const clock = { tick: () => performance.now() };
  const last = (count: number) => ({ from: today - (count - 1) * dayMs, to: today + dayMs });
  const all = { from: first, to: today + dayMs };
  const searches: readonly (readonly [string, UsageFilter & { from: number; to: number }])[] = [
    ['newest, 90 days', all],
    ['one key, 90 days', { ...all, keyId: 'key7' }],
    ['a rare key, 90 days', { ...all, keyId: 'key-rare' }],
    ['failures, 30 days', { ...last(30), status: 'failure' }],
    ['a rare error, 30 days', { ...last(30), errorCode: 'rare_error' }],
    ['a rare model, 30 days', { ...last(30), model: 'model-rare' }],
    ['a common tag, 30 days', { ...last(30), tag: 'tag1' }],
    ['a rare tag, 90 days', { ...all, tag: 'tag-rare' }],
    ['one key and a tag, 30 days', { ...last(30), tag: 'tag1', keyId: 'key7' }],
    ['one session, 90 days', { ...all, sessionId: 'session200' }],
    ['a cost that none has, 30 days', { ...last(30), costMin: 9_400_999 }],
  ];
  const found: string[][] = [];
  for (const [name, filter] of searches) {
    const times: number[] = [];
    let at = performance.now();
    let page = await searchRequests({ store, clock }, filter, 50, null);
    const firstMs = performance.now() - at;
    for (let turn = 0; turn < 20 && page.next !== null; turn++) {
      at = performance.now();
      page = await searchRequests({ store, clock }, filter, 50, page.next);
      times.push(performance.now() - at);
    }
    const worst = times.length === 0 ? '' : Math.max(...times).toFixed(1);
    const middleTime = times.sort((one, other) => one - other)[Math.floor(times.length / 2)]?.toFixed(1) ?? '';
    found.push([name, firstMs.toFixed(1), middleTime, worst]);
  }
  console.log(`\n${rowsWanted} single requests, pages of 50\n`);
  console.log(table(['SEARCH', 'FIRST PAGE, ms', 'LATER PAGES, ms', 'WORST OF 20, ms'], found));
}
await client.end();
await store.close();
await server.close();
