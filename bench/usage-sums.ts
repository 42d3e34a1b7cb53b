import pg from 'pg';
import { startPostgres } from '../scripts/servers/postgres.ts';
import { openPostgresStore } from '../src/adapters/sql/postgres.ts';
import { figureColumns, seriesColumns } from '../src/adapters/sql/usage-rollup.ts';
import type { UsageDimension, UsageFilter } from '../src/core/store.ts';
import { table } from '../src/core/text-table.ts';

/*
 * How long questions about usage take when a hundred million requests have been summed: fills the tables of sums as that
 * many would leave them (90 days, 500 keys in 50 teams, three series each, two tags, 5,000 end users a day) and asks.
 * `node bench/usage-sums.ts`; takes about two minutes.
 */

const requests = 100_000_000;
const days = 90;
const hoursKept = 48;
const keys = 500;
const seriesPerKey = 3;
const endUsersPerDay = 5_000;
const dayMs = 86_400_000;
const today = Math.floor(Date.now() / dayMs) * dayMs;
const first = today - (days - 1) * dayMs;
const perSeriesAndDay = Math.round(requests / days / keys / seriesPerKey);

const server = await startPostgres();
const store = await openPostgresStore({ url: server.url });
const client = new pg.Client({ connectionString: server.url });
await client.connect();

/** Every figure as a share of the requests, spread over a few bins. */
const figures = (count: number) =>
  figureColumns
    .map((column) => {
      if (column === 'requests' || column === 'attempts') return `${count}`;
      if (/^[lt]\d+$/.test(column)) return /^[lt](8|9|1\d)$/.test(column) ? `${Math.ceil(count / 12)}` : '0';
      return `${count * 400}`;
    })
    .join(', ');
const columns = figureColumns.join(', ');

const started = performance.now();
await client.query(`insert into usage_series (${seriesColumns.join(', ')})
  select 's' || k || '-' || s, 'key' || k, 'user' || k / 2, 'team' || k / 10, 'org' || k / 100, 'model' || s, 'group' || s,
    'provider' || s % 2, 'deployment' || s, '/v1/chat/completions', case when s = 2 then 'failure' else 'success' end
  from generate_series(0, ${keys - 1}) as k, generate_series(0, ${seriesPerKey - 1}) as s`);
await client.query(`insert into usage_days (start, series, ${columns})
  select ${first} + d * ${dayMs}::bigint, id, ${figures(perSeriesAndDay)}
  from generate_series(0, ${days - 1 - hoursKept / 24}) as d, usage_series`);
await client.query(`insert into usage_hours (start, series, ${columns})
  select ${today - (hoursKept / 24 - 1) * dayMs} + h * 3600000::bigint, id, ${figures(Math.ceil(perSeriesAndDay / 24))}
  from generate_series(0, ${hoursKept - 1}) as h, usage_series`);
await client.query(`insert into usage_named (kind, name, start, series, ${columns})
  select 'tag', 'tag' || t, ${first} + d * ${dayMs}::bigint, id, ${figures(perSeriesAndDay)}
  from generate_series(0, 1) as t, generate_series(0, ${days - 1}) as d, usage_series`);
await client.query(`insert into usage_named (kind, name, start, series, ${columns})
  select 'end_user', 'customer' || e, ${first} + d * ${dayMs}::bigint, 's' || e % ${keys} || '-0', ${figures(Math.ceil(requests / days / endUsersPerDay))}
  from generate_series(0, ${endUsersPerDay - 1}) as e, generate_series(0, ${days - 1}) as d`);
await client.query('vacuum analyze usage_days, usage_hours, usage_named, usage_series');
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
  "select pg_size_pretty(sum(pg_total_relation_size(oid))) as size from pg_class where relname in ('usage_days', 'usage_hours', 'usage_named', 'usage_series')",
);
console.log(
  `${total!.requests} requests summed over ${days} days; tables of sums: ${size.rows[0].size}; filled in ${(filledMs / 1_000).toFixed(0)} s\n`,
);
console.log(table(['QUESTION', 'SUMS, ms', 'WITH PERCENTILES, ms'], rows));
await client.end();
await store.close();
await server.close();
