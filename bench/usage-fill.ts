import type pg from 'pg';
import { monthOf, monthStart } from '../src/adapters/sql/postgres-months.ts';
import { figureColumns, seriesColumns } from '../src/adapters/sql/usage-rollup.ts';

/*
 * The tables of usage as many requests leave them, written by SQL alone: 90 days, 500 keys in 50 teams, three series each,
 * two tags, 5,000 end users a day.
 */

export const days = 90;
const hoursKept = 48;
const keys = 500;
const seriesPerKey = 3;
const endUsersPerDay = 5_000;
const dayMs = 86_400_000;
export const today = Math.floor(Date.now() / dayMs) * dayMs;
export const first = today - (days - 1) * dayMs;

const columns = figureColumns.join(', ');

/** Every figure as a share of the requests, spread over a few bins. */
const figures = (count: number) =>
  figureColumns
    .map((column) => {
      if (column === 'requests' || column === 'attempts') return `${count}`;
      if (/^[lt]\d+$/.test(column)) return /^[lt](8|9|1\d)$/.test(column) ? `${Math.ceil(count / 12)}` : '0';
      return `${count * 400}`;
    })
    .join(', ');

/** The sums of so many requests. */
export async function fillSums(client: pg.Client, requests: number): Promise<void> {
  const perSeriesAndDay = Math.round(requests / days / keys / seriesPerKey);
  await client.query(`insert into usage_series (${seriesColumns.join(', ')})
    select 's' || k || '-' || s, 'key' || k, 'user' || k / 2, 'team' || k / 10, 'org' || k / 100, 'model' || s, 'group' || s,
      'provider' || s % 2, 'deployment' || s, '/v1/chat/completions', case when s = 2 then 'failure' else 'success' end
    from generate_series(0, ${keys - 1}) as k, generate_series(0, ${seriesPerKey - 1}) as s`);
  await client.query(`insert into usage_days (start, series, ${columns})
    select ${first} + d * ${dayMs}::bigint, id, ${figures(perSeriesAndDay)}
    from generate_series(0, ${days - 1 - hoursKept / 24}) as d, usage_series`);
  await client.query(`insert into usage_hours (start, series, ${columns})
    select ${today - (hoursKept / 24 - 1) * dayMs} + h * 3600000::bigint, id, ${figures(Math.ceil(perSeriesAndDay / 24))}
    from generate_series(0, ${Math.floor((Date.now() - today) / 3_600_000) + hoursKept - 24}) as h, usage_series`);
  await client.query(`insert into usage_named (kind, name, start, series, ${columns})
    select 'tag', 'tag' || t, ${first} + d * ${dayMs}::bigint, id, ${figures(perSeriesAndDay)}
    from generate_series(0, 1) as t, generate_series(0, ${days - 1}) as d, usage_series`);
  await client.query(`insert into usage_named (kind, name, start, series, ${columns})
    select 'end_user', 'customer' || e, ${first} + d * ${dayMs}::bigint, 's' || e % ${keys} || '-0', ${figures(Math.ceil(requests / days / endUsersPerDay))}
    from generate_series(0, ${endUsersPerDay - 1}) as e, generate_series(0, ${days - 1}) as d`);
  await client.query(`insert into usage_series (${seriesColumns.join(', ')})
    select 't' || s, '', '', '', '', 'model' || s, 'group' || s, 'provider' || s % 2, 'deployment' || s, '/v1/chat/completions',
      case when s = 2 then 'failure' else 'success' end from generate_series(0, ${seriesPerKey - 1}) as s`);
  for (const length of ['hours', 'days']) {
    await client.query(`insert into usage_total_${length} (start, series, shard, ${columns})
      select start, 't' || right(series, 1), 0, ${figureColumns.map((figure) => `sum(${figure})`).join(', ')}
      from usage_${length} group by 1, 2`);
  }
  await client.query(`insert into usage_series (${seriesColumns.join(', ')})
    select distinct 'o' || key_id || status, key_id, user_id, team_id, organization_id, '', '', '', '', '', status
    from usage_series where key_id <> ''`);
  for (const [table, length] of [
    ['usage_owner_days', dayMs],
    ['usage_owner_weeks', 7 * dayMs],
  ] as const) {
    await client.query(`insert into ${table} (start, series, ${columns})
      select days.start - days.start % ${length}, 'o' || key_id || status, ${figureColumns.map((figure) => `sum(${figure})`).join(', ')}
      from usage_days as days join usage_series as series on series.id = days.series group by 1, 2`);
  }
  await client.query(
    'vacuum analyze usage_owner_days, usage_owner_weeks, usage_days, usage_hours, usage_named, usage_series, usage_total_hours, usage_total_days',
  );
}

/** As many rows: one key, tag, error and end user in 100,000 requests is a rare one. Indexes are made when all rows are there. */
export async function fillRows(client: pg.Client, requests: number): Promise<void> {
  const indexes = await client.query<{ name: string; definition: string }>(
    `select indexname as name, indexdef as definition from pg_indexes
     where tablename in ('usage', 'usage_tags') and indexname <> 'usage_tags_primary_key'`,
  );
  await client.query('alter table usage_tags drop constraint usage_tags_primary_key');
  await client.query('alter table usage_ids drop constraint usage_ids_pkey');
  for (const { name } of indexes.rows) await client.query(`drop index if exists ${name}`);
  for (let month = monthOf(first); month <= monthOf(Date.now()); month++) {
    for (const table of ['usage', 'usage_tags']) {
      const name = `${table}_${new Date(monthStart(month)).toISOString().slice(0, 7).replace('-', '_')}`;
      await client.query(`create table if not exists ${name} partition of ${table}
        for values from (${monthStart(month)}) to (${monthStart(month + 1)})`);
    }
  }
  const stepMs = (days * dayMs) / requests;
  const detail = `'{"operation":"chat","dialect":"openai-chat","httpStatus":200,"keyAlias":"app-' || n % 500 || '","tags":["tag' || n % 2 || '"],"modelAsked":"group0","stream":true,"cacheHit":false,"usage":{"inputTokens":812,"outputTokens":204,"cacheReadTokens":0,"cacheWriteTokens":0},"bound":500000,"overheadMs":0.21,"attempts":[{"group":"group0","deploymentId":"deployment0","provider":"provider0","model":"model0","startedAt":0,"durationMs":900,"status":200,"result":"success","ambiguous":false,"charged":0}],"metadata":{}}'`;
  const atOnce = 1_000_000;
  for (let from = 0; from < requests; from += atOnce) {
    const numbers = `generate_series(${from}::bigint, ${Math.min(requests, from + atOnce) - 1}) as n`;
    const id = `md5(n::text)::uuid::text`;
    const at = `${first} + (n * ${stepMs})::bigint`;
    await client.query(`insert into usage (id, started_at, ended_at, day, status, path, detail, error_code, key_id, user_id, team_id,
        organization_id, end_user_id, session_id, model_used, model_group, deployment_id, provider, input_tokens,
        output_tokens, cache_read_tokens, cache_write_tokens, total_tokens, cost)
      select ${id}, ${at}, ${at} + 900,
        to_char(to_timestamp((${at}) / 1000) at time zone 'utc', 'YYYY-MM-DD'),
        case when n % 50 = 7 then 'failure' else 'success' end, '/v1/chat/completions', ${detail},
        case when n % 100000 = 7 then 'rare_error' when n % 50 = 7 then 'upstream_error' end,
        case when n % 100000 = 5 then 'key-rare' else 'key' || n % 499 end, 'user' || n % 250,
        case when n % 100000 = 5 then 'team-rare' else 'team' || n % 50 end, 'org' || n % 5,
        case when n % 3 = 0 then 'customer' || n % 5000 end, case when n % 10 = 0 then 'session' || n / 50 end,
        case when n % 100000 = 9 then 'model-rare' else 'model' || n % 3 end, 'group' || n % 3, 'deployment' || n % 3,
        'provider' || n % 2, 812, 204, 0, 0, 1016, 400000 + n % 1000
      from ${numbers}`);
    await client.query(`insert into usage_ids (id, started_at) select ${id}, ${at} from ${numbers}`);
    await client.query(`insert into usage_tags (tag, started_at, usage_id)
      select case when n % 100000 = 4 then 'tag-rare' else 'tag' || n % 2 end, ${at}, ${id} from ${numbers}`);
  }
  await client.query("set maintenance_work_mem = '512MB'");
  await client.query('alter table usage_ids add primary key (id)');
  await client.query(
    'alter table usage_tags add constraint usage_tags_primary_key primary key (tag, started_at, usage_id)',
  );
  for (const { definition } of indexes.rows) {
    await client.query(definition.replace(' ON ONLY ', ' ON '));
  }
  await client.query('vacuum analyze usage, usage_tags, usage_ids');
}
