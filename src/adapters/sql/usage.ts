import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { RequestRecord } from '../../core/request-record.ts';
import type { UsageDimension, UsageFilter, UsageMeasures, UsageRepository, UsageSummary } from '../../core/store.ts';
import type { SqlRow } from './columns.ts';
import { columnName, wholeNumber } from './columns.ts';
import type { Database, SqlEngine } from './engine.ts';
import { filteredRequests, type UsageSelect } from './usage-filter.ts';
import { foldHours } from './usage-fold.ts';
import { figureColumns, firstTokenColumns, hourMs, latencyColumns, seriesDimensions } from './usage-rollup.ts';
import { usageRecord } from './usage-row.ts';
import { groupText, type Sum, sumsFromRollups } from './usage-sums.ts';

/** Rows deleted in one transaction: short enough that nobody notices the writer being busy. */
const removedAtOnce = 500;

type UsagePage = Parameters<UsageRepository['list']>[1];

const tagAlone: ReadonlySet<string> = new Set(['tag', 'from', 'to']);

/** A page in order. `start` and `id` are where the rows say when they began and who they are. */
function ordered(
  select: UsageSelect,
  page: UsagePage,
  [by, start, id]: readonly [by: string, start: string, id: string],
): UsageSelect {
  const direction = (page.descending ?? true) ? 'desc' : 'asc';
  const { after } = page;
  let further = select;
  if (after !== undefined) {
    // The first condition is what an index on the start can use.
    further = further
      .where(start, direction === 'desc' ? '<=' : '>=', after.startedAt)
      .where(
        sql<boolean>`(${sql.ref(start)}, ${sql.ref(id)}) ${sql.raw(direction === 'desc' ? '<' : '>')} (${after.startedAt}, ${after.id})`,
      );
  }
  return further.orderBy(by, direction).orderBy(id, direction).limit(page.limit).offset(page.offset);
}

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

  async list(filter: UsageFilter, page: UsagePage): Promise<RequestRecord[]> {
    const { orderBy = 'startedAt' } = page;
    const others = Object.entries(filter).filter(([name, wanted]) => wanted !== undefined && !tagAlone.has(name));
    if (filter.tag !== undefined && orderBy === 'startedAt' && others.length === 0) return this.#ofTag(filter, page);
    const rows = await ordered(this.#filtered(filter), page, [
      orderBy === 'startedAt' ? 'usage.started_at' : `usage.${columnName(orderBy)}`,
      'usage.started_at',
      'usage.id',
    ])
      .selectAll('usage')
      .execute();
    return rows.map(usageRecord);
  }

  /** The tags lead to the requests, so that a common tag is found as fast as a rare one. */
  async #ofTag({ tag, from, to }: UsageFilter, page: UsagePage): Promise<RequestRecord[]> {
    let select = (this.#reader.selectFrom('usage_tags') as unknown as UsageSelect)
      .select(['usage_tags.started_at', 'usage_tags.usage_id'])
      .where('usage_tags.tag', '=', tag!);
    if (from !== undefined) select = select.where('usage_tags.started_at', '>=', from);
    if (to !== undefined) select = select.where('usage_tags.started_at', '<', to);
    const start = 'usage_tags.started_at';
    const found = await ordered(select, page, [start, start, 'usage_tags.usage_id']).execute();
    if (found.length === 0) return [];
    // The starts are what the rows' index goes by.
    const rows = await (this.#reader.selectFrom('usage') as unknown as UsageSelect)
      .selectAll('usage')
      .where(
        'usage.started_at',
        'in',
        found.map((row) => row.started_at),
      )
      .where(
        'usage.id',
        'in',
        found.map((row) => row.usage_id),
      )
      .execute();
    const byId = new Map((rows as SqlRow[]).map((row) => [row.id, row] as const));
    return found
      .map(({ usage_id }) => byId.get(usage_id))
      .flatMap((row) => (row === undefined ? [] : usageRecord(row)));
  }

  async count(filter: UsageFilter): Promise<number> {
    const row = await this.#filtered(filter)
      .select((build) => build.fn.countAll().as('rows'))
      .executeTakeFirst();
    return wholeNumber(row?.rows);
  }

  async summarize(filter: UsageFilter, by: readonly UsageDimension[]): Promise<UsageSummary[]> {
    const sums = await sumsFromRollups(this.#reader, filter, by, summaryFigures);
    if (sums !== null) return sums.map(summaryOf);
    let select = this.#requests(filter, by.includes('tag')).select([
      sql`count(*)`.as('requests'),
      sql`coalesce(sum(case when usage.status = 'success' then 1 else 0 end), 0)`.as('successes'),
      ...summaryFigures
        .filter((figure) => figure !== 'requests' && figure !== 'successes')
        .map((figure) => sql<number>`coalesce(sum(${sql.ref(`usage.${figure}`)}), 0)`.as(figure)),
    ]);
    for (const dimension of by) {
      const column = rowDimension(dimension);
      select = select
        .select(column.as(`by_${dimension}`))
        .groupBy(column)
        .orderBy(column);
    }
    const rows = await select.execute();
    return rows.map((row) =>
      summaryOf({
        group: Object.fromEntries(by.map((dimension) => [dimension, groupText(dimension, row[`by_${dimension}`])])),
        figures: Object.fromEntries(summaryFigures.map((figure) => [figure, wholeNumber(row[figure])])),
      }),
    );
  }

  async measure(filter: UsageFilter, by: readonly UsageDimension[]): Promise<UsageMeasures[] | null> {
    const sums = await sumsFromRollups(this.#reader, filter, by, [...figureColumns, 'successes']);
    return sums === null ? null : sums.map(measuresOf);
  }

  fold(kept: number, closed = kept): Promise<number> {
    return foldHours(this.#engine, kept, closed);
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

  #filtered(filter: UsageFilter): UsageSelect {
    return filteredRequests(this.#reader.selectFrom('usage') as unknown as UsageSelect, filter);
  }

  #requests(filter: UsageFilter, byTag: boolean): UsageSelect {
    if (!byTag) return this.#filtered(filter);
    const usage = this.#reader.selectFrom('usage') as unknown as UsageSelect;
    const joined = usage.innerJoin('usage_tags', 'usage_tags.usage_id', 'usage.id') as unknown as UsageSelect;
    const { tag, ...rest } = filter;
    const filtered = filteredRequests(joined, rest).where('usage_tags.tag', '<>', '');
    return tag === undefined ? filtered : filtered.where('usage_tags.tag', '=', tag);
  }
}

const summaryFigures = [
  'requests',
  'successes',
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'cost',
] as const;

const rowNames: readonly string[] = [...seriesDimensions, 'endUserId', 'day'];

function rowDimension(dimension: UsageDimension) {
  if (dimension === 'tag') return sql.ref<string>('usage_tags.tag');
  if (dimension === 'hour') return sql<string>`(usage.started_at - usage.started_at % ${sql.lit(hourMs)})`;
  if (!rowNames.includes(dimension)) throw new RangeError(`no such dimension: ${dimension}`);
  return sql.ref<string>(`usage.${columnName(dimension)}`);
}

function summaryOf({ group, figures }: Sum): UsageSummary {
  const { requests = 0, successes = 0 } = figures;
  return {
    group,
    requests,
    successes,
    failures: requests - successes,
    inputTokens: figures.input_tokens ?? 0,
    outputTokens: figures.output_tokens ?? 0,
    cacheReadTokens: figures.cache_read_tokens ?? 0,
    cacheWriteTokens: figures.cache_write_tokens ?? 0,
    cost: figures.cost ?? 0,
  };
}

function measuresOf(sum: Sum): UsageMeasures {
  const { figures } = sum;
  const counts = (columns: readonly string[]) => columns.map((column) => figures[column] ?? 0);
  return {
    ...summaryOf(sum),
    cacheHits: figures.cache_hits ?? 0,
    attempts: figures.attempts ?? 0,
    fallbacks: figures.fallbacks ?? 0,
    durationMs: figures.duration_ms ?? 0,
    overheadMs: (figures.overhead_us ?? 0) / 1_000,
    latency: counts(latencyColumns),
    firstToken: counts(firstTokenColumns),
  };
}
