import type { Kysely, RawBuilder } from 'kysely';
import { sql } from 'kysely';
import type { UsageDimension, UsageFilter } from '../../core/store.ts';
import type { SqlRow } from './columns.ts';
import { columnName, wholeNumber } from './columns.ts';
import type { Database } from './engine.ts';
import { filterColumns } from './usage-filter.ts';
import { dayMs, hourMs, ownerNames, seriesDimensions, weekMs } from './usage-rollup.ts';
import { utcDay } from './usage-row.ts';

/* Questions about sums, answered from the rollups as far as those know enough. */

export interface Sum {
  readonly group: Readonly<Partial<Record<UsageDimension, string | null>>>;
  readonly figures: Readonly<Record<string, number>>;
}

/** Days, or those of owners, with the hours that are not in them yet; hours alone; the sums of one kind of names. */
type Source = 'days' | 'owners' | 'hours' | 'tag' | 'end_user';

type Prefix = 'usage_' | 'usage_total_';

/** Who asked is not in the totals. */
function prefixOf({ keyId, userId, teamId, organizationId }: UsageFilter, by: readonly UsageDimension[]): Prefix {
  const isOfOwner = [keyId, userId, teamId, organizationId].some((owner) => owner !== undefined);
  const byOwner = by.some((one) => one === 'keyId' || one === 'userId' || one === 'teamId' || one === 'organizationId');
  return isOfOwner || byOwner ? 'usage_' : 'usage_total_';
}

/** null when only the rows know the answer. */
export async function sumsFromRollups(
  reader: Kysely<Database>,
  filter: UsageFilter,
  by: readonly UsageDimension[],
  figures: readonly string[],
): Promise<Sum[] | null> {
  const source = await sourceOf(reader, filter, by);
  if (source === null) return null;
  const sums = await readSums(reader, source, filter, by, figures);
  if (source !== 'end_user' || filter.endUserId !== undefined) return sums;
  // Requests without an end user have no name: they are what is left of all.
  const others = by.filter((dimension) => dimension !== 'endUserId');
  const [all, named] = await Promise.all([
    readSums(reader, 'days', filter, others, figures),
    readSums(reader, 'end_user', filter, others, figures),
  ]);
  return [...withoutNames(all, named, by), ...sums];
}

function withoutNames(all: readonly Sum[], named: readonly Sum[], by: readonly UsageDimension[]): Sum[] {
  const byGroup = new Map(named.map((sum) => [JSON.stringify(sum.group), sum.figures]));
  return all.flatMap(({ group, figures }) => {
    const taken = byGroup.get(JSON.stringify(group));
    const left = Object.fromEntries(
      Object.entries(figures).map(([figure, value]) => [figure, value - (taken?.[figure] ?? 0)]),
    );
    if (left.requests! <= 0) return [];
    return [{ group: Object.fromEntries(by.map((dimension) => [dimension, group[dimension] ?? null])), figures: left }];
  });
}

async function sourceOf(
  reader: Kysely<Database>,
  filter: UsageFilter,
  by: readonly UsageDimension[],
): Promise<Source | null> {
  const finer = [filter.errorCode, filter.sessionId, filter.costMin, filter.costMax];
  if (finer.some((wanted) => wanted !== undefined)) return null;
  const edges = [filter.from, filter.to].filter((time) => time !== undefined);
  const wholeDays = !by.includes('hour') && edges.every((time) => time % dayMs === 0);
  const ofTag = filter.tag !== undefined || by.includes('tag');
  const ofEndUser = filter.endUserId !== undefined || by.includes('endUserId');
  if (ofTag || ofEndUser) return wholeDays && !(ofTag && ofEndUser) ? (ofTag ? 'tag' : 'end_user') : null;
  const prefix = prefixOf(filter, by);
  if (wholeDays) return prefix === 'usage_' && isOfOwners(filter, by) ? 'owners' : 'days';
  if (filter.from === undefined || edges.some((time) => time % hourMs !== 0)) return null;
  return filter.from >= (await daysEnd(reader, prefix)) ? 'hours' : null;
}

/** Nothing is asked that the sums of owners leave out. */
function isOfOwners(
  { model, modelGroup, provider, deploymentId }: UsageFilter,
  by: readonly UsageDimension[],
): boolean {
  const others = [model, modelGroup, provider, deploymentId];
  return others.every((one) => one === undefined) && by.every((one) => one === 'day' || ownerNames.has(one));
}

/** The hours from here on are all still there: behind the newest day that has none of its own any more. */
async function daysEnd(reader: Kysely<Database>, prefix: Prefix): Promise<number> {
  const oldest = prefix === 'usage_' ? await edgeOf(reader, 'usage_past_hours', 'min') : null;
  const before = oldest === null ? null : oldest - (oldest % dayMs);
  const newest = await edgeOf(reader, `${prefix}days`, 'max', before);
  return newest === null ? 0 : newest + dayMs;
}

async function edgeOf(
  reader: Kysely<Database>,
  table: 'usage_past_hours' | `${Prefix}days`,
  edge: 'min' | 'max',
  before: number | null = null,
): Promise<number | null> {
  let query = reader.selectFrom(table).select((build) => build.fn[edge]('start').as('start'));
  if (before !== null) query = query.where('start', '<', before);
  const found = await query.executeTakeFirst();
  return found?.start === null || found?.start === undefined ? null : wholeNumber(found.start);
}

async function readSums(
  reader: Kysely<Database>,
  source: Source,
  filter: UsageFilter,
  by: readonly UsageDimension[],
  figures: readonly string[],
): Promise<Sum[]> {
  const wanted = seriesConditions(filter);
  const few = await fewSeries(reader, filter);
  const groups = by.map((dimension) => sql`${groupOf(dimension)} as ${sql.ref(`by_${dimension}`)}`);
  const totals = figures.map((figure) => sql`coalesce(sum(${figureOf(figure)}), 0) as ${sql.ref(figure)}`);
  const places = sql.join(by.map((_, index) => sql.lit(index + 1)));
  const grouping = by.length === 0 ? sql`` : sql`group by ${places} order by ${places}`;
  const { rows } = await sql<SqlRow>`
    select ${sql.join([...groups, ...totals])}
    from ${tableOf(source, prefixOf(filter, by), filter, by, figures, few)} as sums
    left join usage_series as series on series.id = sums.series
    where ${wanted} ${grouping}`.execute(reader);
  return rows.map((row) => ({
    group: Object.fromEntries(by.map((dimension) => [dimension, groupText(dimension, row[`by_${dimension}`])])),
    figures: Object.fromEntries(figures.map((figure) => [figure, wholeNumber(row[figure])])),
  }));
}

/** `successes` is no column: the status is part of the series. */
function figureOf(figure: string): RawBuilder<unknown> {
  return figure === 'successes'
    ? sql`case when series.status = 'success' then sums.requests else 0 end`
    : sql.ref(`sums.${figure}`);
}

function tableOf(
  source: Source,
  prefix: Prefix,
  filter: UsageFilter,
  by: readonly UsageDimension[],
  figures: readonly string[],
  few: readonly string[] | null,
): RawBuilder<unknown> {
  const columns = sql.join(
    ['start', 'series', ...figures.filter((figure) => figure !== 'successes')].map((column) => sql.ref(column)),
  );
  const within = few === null ? rangeOf(filter) : sql`${rangeOf(filter)} and series in (${sql.join(few)})`;
  const from = (table: string, where: RawBuilder<unknown>) =>
    sql`select ${columns} from ${sql.table(table)} where ${where}`;
  switch (source) {
    case 'owners': {
      // Few series are found sooner by their own index.
      const parts = few === null ? ownerParts(filter, by) : [{ table: 'usage_days', where: within }];
      const all = [...parts.map(({ table, where }) => from(table, where)), from('usage_hours', within)];
      return sql`(${sql.join(all, sql` union all `)})`;
    }
    case 'days':
      return sql`(${from(`${prefix}days`, within)} union all ${from(`${prefix}hours`, within)})`;
    case 'hours':
      return prefix === 'usage_'
        ? sql`(${from('usage_past_hours', within)} union all ${from('usage_hours', within)})`
        : sql`(${from(`${prefix}hours`, within)})`;
    default: {
      const name = source === 'tag' ? filter.tag : filter.endUserId;
      const named = name === undefined ? sql`` : sql`and name = ${name}`;
      return sql`(select name, ${columns} from usage_named where kind = ${source} ${named} and ${within})`;
    }
  }
}

/** Whole weeks where there are any and no day is asked for by itself, and the days around them. */
function ownerParts(
  filter: UsageFilter,
  by: readonly UsageDimension[],
): { table: string; where: RawBuilder<unknown> }[] {
  const days = (range: Pick<UsageFilter, 'from' | 'to'>) => ({ table: 'usage_owner_days', where: rangeOf(range) });
  const { from = 0, to } = filter;
  const first = Math.ceil(from / weekMs) * weekMs;
  const end = to === undefined ? undefined : Math.floor(to / weekMs) * weekMs;
  if (by.includes('day') || (end !== undefined && end <= first)) return [days(filter)];
  const weeks = { table: 'usage_owner_weeks', where: rangeOf({ from: first, ...(end !== undefined && { to: end }) }) };
  const before = first > from ? [days({ from, to: first })] : [];
  const after = end !== undefined && end < to! ? [days({ from: end, to: to! })] : [];
  return [...before, weeks, ...after];
}

/** Named one by one, series are found by their index; many are found sooner by reading all of the time. */
const fewMax = 200;

/** The series that a filter lets through when they are few; null when they are many or all. */
async function fewSeries(reader: Kysely<Database>, filter: UsageFilter): Promise<readonly string[] | null> {
  if (filter.keyId === undefined && filter.teamId === undefined && filter.userId === undefined) return null;
  const { rows } = await sql<SqlRow>`
    select series.id from usage_series as series where ${seriesConditions(filter)} limit ${sql.lit(fewMax + 1)}`.execute(
    reader,
  );
  if (rows.length > fewMax) return null;
  // An empty list is no SQL; no series has an empty name.
  return rows.length === 0 ? [''] : rows.map((row) => row.id as string);
}

function rangeOf({ from, to }: UsageFilter): RawBuilder<unknown> {
  const conditions = [sql`start >= ${from ?? 0}`];
  if (to !== undefined) conditions.push(sql`start < ${to}`);
  return sql.join(conditions, sql` and `);
}

function seriesConditions(filter: UsageFilter): RawBuilder<unknown> {
  const conditions = [sql`1 = 1`];
  for (const [name, column] of Object.entries(filterColumns)) {
    const wanted = filter[name as keyof typeof filterColumns];
    if (wanted === undefined || column === 'end_user_id') continue;
    conditions.push(sql`${sql.ref(`series.${column}`)} = ${wanted}`);
  }
  return sql.join(conditions, sql` and `);
}

const seriesNames: readonly string[] = seriesDimensions;

function groupOf(dimension: UsageDimension): RawBuilder<unknown> {
  if (dimension === 'day') return sql`sums.start - sums.start % ${sql.lit(dayMs)}`;
  if (dimension === 'hour') return sql`sums.start - sums.start % ${sql.lit(hourMs)}`;
  if (dimension === 'tag' || dimension === 'endUserId') return sql`sums.name`;
  if (!seriesNames.includes(dimension)) throw new RangeError(`no such dimension: ${dimension}`);
  return sql.ref(`series.${columnName(dimension)}`);
}

/** '' stands for null in a series; times come as their first millisecond. */
export function groupText(dimension: UsageDimension, value: unknown): string | null {
  if (dimension === 'hour') return hourText(wholeNumber(value));
  if (dimension === 'day' && typeof value !== 'string') return utcDay(wholeNumber(value));
  if (dimension === 'day' && /^\d+$/.test(value as string)) return utcDay(wholeNumber(value));
  return (value as string | null) || null;
}

/** `2026-11-24T13:00:00Z`. */
function hourText(start: number): string {
  return `${new Date(start).toISOString().slice(0, 13)}:00:00Z`;
}
