import type { Kysely, SelectQueryBuilder } from 'kysely';
import { sql } from 'kysely';
import type { RequestRecord } from '../../core/request-record.ts';
import type { UsageDimension, UsageFilter, UsageRepository, UsageSummary } from '../../core/store.ts';
import type { SqlRow } from './columns.ts';
import { columnName, wholeNumber } from './columns.ts';
import type { Database, SqlEngine } from './engine.ts';
import { dailyDimensions } from './usage-daily.ts';
import { usageRecord, utcDay } from './usage-row.ts';

type Select = SelectQueryBuilder<Database, string, SqlRow>;

const dayMs = 86_400_000;
/** Rows deleted in one transaction: short enough that nobody notices the writer being busy. */
const removedAtOnce = 500;

/** Filters that name one value of one column. */
const columnOf = {
  keyId: 'key_id',
  userId: 'user_id',
  teamId: 'team_id',
  organizationId: 'organization_id',
  endUserId: 'end_user_id',
  model: 'model_used',
  modelGroup: 'model_group',
  deploymentId: 'deployment_id',
  provider: 'provider',
  status: 'status',
  errorCode: 'error_code',
  sessionId: 'session_id',
} as const;

export class SqlUsage implements UsageRepository {
  readonly #engine: SqlEngine;
  readonly #reader: Kysely<Database>;

  constructor(engine: SqlEngine) {
    this.#engine = engine;
    this.#reader = engine.reader;
  }

  async get(id: string): Promise<RequestRecord | undefined> {
    const row = await this.#engine.usageRows.find(id);
    return row === undefined ? undefined : usageRecord(row);
  }

  async list(filter: UsageFilter, page: Parameters<UsageRepository['list']>[1]): Promise<RequestRecord[]> {
    const direction = (page.descending ?? true) ? 'desc' : 'asc';
    const rows = await this.#filtered(filter)
      .selectAll('usage')
      .orderBy(`usage.${columnName(page.orderBy ?? 'startedAt')}`, direction)
      .orderBy('usage.id', direction)
      .limit(page.limit)
      .offset(page.offset)
      .execute();
    return rows.map(usageRecord);
  }

  async count(filter: UsageFilter): Promise<number> {
    const row = await this.#filtered(filter)
      .select((build) => build.fn.countAll().as('rows'))
      .executeTakeFirst();
    return wholeNumber(row?.rows);
  }

  async summarize(filter: UsageFilter, by: readonly UsageDimension[]): Promise<UsageSummary[]> {
    const fromDays = answeredByDays(filter);
    const source = fromDays ? this.#days(filter, by.includes('tag')) : this.#requests(filter, by.includes('tag'));
    const requests = fromDays ? sql.ref('usage_daily.requests') : sql.lit(1);
    const table = fromDays ? 'usage_daily' : 'usage';
    const columns = by.map((dimension) => [dimension, dimensionColumn(table, dimension)] as const);
    const sum = (figure: string) => sql<number>`coalesce(sum(${sql.ref(`${table}.${figure}`)}), 0)`.as(figure);
    let select = source.select([
      sql`coalesce(sum(${requests}), 0)`.as('requests'),
      sql`coalesce(sum(case when ${sql.ref(`${table}.status`)} = 'success' then ${requests} else 0 end), 0)`.as(
        'successes',
      ),
      sum('input_tokens'),
      sum('output_tokens'),
      sum('cache_read_tokens'),
      sum('cache_write_tokens'),
      sum('cost'),
    ]);
    for (const [dimension, column] of columns) {
      select = select
        .select(sql.ref(column).as(`by_${dimension}`))
        .groupBy(column)
        .orderBy(column);
    }
    const rows = await select.execute();
    return rows.map((row) => summaryOf(row, by));
  }

  async removeBefore(endedBefore: number): Promise<number> {
    let removed = await this.#engine.usageRows.removeWholeBefore(endedBefore);
    for (;;) {
      const count = await this.#engine.transaction(async (transaction) => {
        // A request starts before it ends, so the index on the start finds all of them.
        const old = await transaction
          .selectFrom('usage')
          .select('id')
          .where('started_at', '<', endedBefore)
          .where('ended_at', '<', endedBefore)
          .orderBy('started_at')
          .limit(removedAtOnce)
          .execute();
        const ids = old.map((row) => row.id as string);
        if (ids.length === 0) return 0;
        await transaction
          .deleteFrom('usage_tags')
          .where('started_at', '<', endedBefore)
          .where('usage_id', 'in', ids)
          .execute();
        await this.#engine.usageRows.forget(transaction, ids);
        await transaction.deleteFrom('usage').where('started_at', '<', endedBefore).where('id', 'in', ids).execute();
        return ids.length;
      });
      removed += count;
      if (count < removedAtOnce) return removed;
    }
  }

  #filtered(filter: UsageFilter): Select {
    return filteredRequests(this.#reader.selectFrom('usage') as unknown as Select, filter);
  }

  #requests(filter: UsageFilter, byTag: boolean): Select {
    const usage = this.#reader.selectFrom('usage') as unknown as Select;
    if (!byTag) return filteredRequests(usage, filter);
    const joined = usage.innerJoin('usage_tags', 'usage_tags.usage_id', 'usage.id') as unknown as Select;
    const { tag, ...rest } = filter;
    const filtered = filteredRequests(joined, rest).where('usage_tags.tag', '<>', '');
    return tag === undefined ? filtered : filtered.where('usage_tags.tag', '=', tag);
  }

  #days(filter: UsageFilter, byTag: boolean): Select {
    let select = this.#reader.selectFrom('usage_daily') as unknown as Select;
    if (filter.tag !== undefined) select = select.where('usage_daily.tag', '=', filter.tag);
    else select = select.where('usage_daily.tag', byTag ? '<>' : '=', '');
    if (filter.from !== undefined) select = select.where('usage_daily.day', '>=', utcDay(filter.from));
    if (filter.to !== undefined) select = select.where('usage_daily.day', '<', utcDay(filter.to));
    for (const [name, column] of Object.entries(columnOf)) {
      const wanted = filter[name as keyof typeof columnOf];
      if (wanted !== undefined) select = select.where(`usage_daily.${column}`, '=', wanted);
    }
    return select;
  }
}

function filteredRequests(select: Select, filter: UsageFilter): Select {
  let filtered = select;
  if (filter.from !== undefined) filtered = filtered.where('usage.started_at', '>=', filter.from);
  if (filter.to !== undefined) filtered = filtered.where('usage.started_at', '<', filter.to);
  if (filter.costMin !== undefined) filtered = filtered.where('usage.cost', '>=', filter.costMin);
  if (filter.costMax !== undefined) filtered = filtered.where('usage.cost', '<=', filter.costMax);
  for (const [name, column] of Object.entries(columnOf)) {
    const wanted = filter[name as keyof typeof columnOf];
    if (wanted !== undefined) filtered = filtered.where(`usage.${column}`, '=', wanted);
  }
  const { tag } = filter;
  if (tag !== undefined) {
    filtered = filtered.where((build) =>
      build(
        'usage.id',
        'in',
        build.selectFrom('usage_tags').select('usage_tags.usage_id').where('usage_tags.tag', '=', tag),
      ),
    );
  }
  return filtered;
}

/** Whether the daily sums know enough: whole days, and no filter on anything finer. */
function answeredByDays(filter: UsageFilter): boolean {
  const finer = [filter.errorCode, filter.sessionId, filter.costMin, filter.costMax];
  if (finer.some((wanted) => wanted !== undefined)) return false;
  return [filter.from, filter.to].every((time) => time === undefined || time % dayMs === 0);
}

function dimensionColumn(table: string, dimension: UsageDimension): string {
  if (!dailyDimensions.includes(dimension)) throw new RangeError(`no such dimension: ${dimension}`);
  return dimension === 'tag' && table === 'usage' ? 'usage_tags.tag' : `${table}.${columnName(dimension)}`;
}

function summaryOf(row: SqlRow, by: readonly UsageDimension[]): UsageSummary {
  const requests = wholeNumber(row.requests);
  const successes = wholeNumber(row.successes);
  return {
    // '' stands for null in the daily sums.
    group: Object.fromEntries(by.map((dimension) => [dimension, (row[`by_${dimension}`] as string | null) || null])),
    requests,
    successes,
    failures: requests - successes,
    inputTokens: wholeNumber(row.input_tokens),
    outputTokens: wholeNumber(row.output_tokens),
    cacheReadTokens: wholeNumber(row.cache_read_tokens),
    cacheWriteTokens: wholeNumber(row.cache_write_tokens),
    cost: wholeNumber(row.cost),
  };
}
