import type { Kysely } from 'kysely';
import { type SqlRow, wholeNumber } from './columns.ts';
import type { Database, SqlEngine } from './engine.ts';
import { seriesInsert, summingInsert } from './usage-insert.ts';
import {
  dayMs,
  figureColumns,
  hourMs,
  ownersOf,
  seriesColumns,
  sumColumns,
  totalColumns,
  weekMs,
} from './usage-rollup.ts';

const dayInsert = summingInsert('usage_days', sumColumns, ['start', 'series']);
const pastInsert = summingInsert('usage_past_hours', sumColumns, ['start', 'series']);
const ownerDayInsert = summingInsert('usage_owner_days', sumColumns, ['start', 'series']);
const ownerWeekInsert = summingInsert('usage_owner_weeks', sumColumns, ['start', 'series']);
const totalDayInsert = summingInsert('usage_total_days', totalColumns, ['start', 'series', 'shard']);

/** Figures by series. */
type Sums = Map<string, readonly number[]>;

/**
 * Moves the sums of hours that are over before `closed` into their days, an hour at a time, and puts what a key, user, team
 * and organization spent in all beside them, by the day and by the week. A copy of each hour stays until its day was over
 * before `kept`. What comes late (a journal that is replayed) simply stands in its hour again and is moved by the next run:
 * a question about days reads the hours that are not moved as well, so it is right at any moment.
 */
export async function foldHours(engine: SqlEngine, kept: number, closed: number): Promise<number> {
  const firstKept = kept - (kept % dayMs);
  let hours = 0;
  while (await moveOldestHour(engine, closed, firstKept)) hours += 1;
  await engine.writer.deleteFrom('usage_past_hours').where('start', '<', firstKept).execute();
  while (await moveOldestTotals(engine, firstKept));
  return hours;
}

async function moveOldestHour(engine: SqlEngine, closed: number, firstKept: number): Promise<boolean> {
  return engine.transaction(async (transaction) => {
    const start = await oldestIn(transaction, 'usage_hours');
    if (start === null || start + hourMs > closed) return false;
    const sums = sumsOf(
      await transaction.deleteFrom('usage_hours').where('start', '=', start).returningAll().execute(),
    );
    const day = start - (start % dayMs);
    await dayInsert.run(transaction, rowsOf(day, sums));
    // Of a day that is no longer kept by the hour a part would be taken for the whole.
    if (day >= firstKept) await pastInsert.run(transaction, rowsOf(start, sums));
    const owners = await ownerSums(transaction, sums);
    await ownerDayInsert.run(transaction, rowsOf(day, owners));
    await ownerWeekInsert.run(transaction, rowsOf(start - (start % weekMs), owners));
    return true;
  });
}

/** Totals are few: they stay by the hour until their day is no longer kept so. The shards of a day that is over become one. */
async function moveOldestTotals(engine: SqlEngine, firstKept: number): Promise<boolean> {
  return engine.transaction(async (transaction) => {
    const start = await oldestIn(transaction, 'usage_total_hours');
    if (start === null || start >= firstKept) return false;
    const rows = await transaction.deleteFrom('usage_total_hours').where('start', '=', start).returningAll().execute();
    const day = start - (start % dayMs);
    const sums = inOrder(sumsOf(rows)).map(([series, figures]) => [day, series, 0, ...figures]);
    await totalDayInsert.run(transaction, sums);
    return true;
  });
}

async function oldestIn(
  database: Kysely<Database>,
  table: 'usage_hours' | 'usage_total_hours',
): Promise<number | null> {
  const oldest = await database
    .selectFrom(table)
    .select((build) => build.fn.min('start').as('start'))
    .executeTakeFirst();
  return oldest?.start === null || oldest?.start === undefined ? null : wholeNumber(oldest.start);
}

function sumsOf(rows: readonly SqlRow[]): Sums {
  const sums: Sums = new Map();
  for (const row of rows) {
    addTo(
      sums,
      row.series as string,
      figureColumns.map((figure) => wholeNumber(row[figure])),
    );
  }
  return sums;
}

function addTo(sums: Sums, series: string, figures: readonly number[]): void {
  const known = sums.get(series);
  sums.set(series, known === undefined ? figures : known.map((figure, index) => figure + figures[index]!));
}

/** The sums without model, deployment and path; their series are put among the others. */
async function ownerSums(transaction: Kysely<Database>, sums: Sums): Promise<Sums> {
  const owners = new Map<string, readonly unknown[]>();
  const found: Sums = new Map();
  for (const ids of chunksOf([...sums.keys()])) {
    const rows = await transaction
      .selectFrom('usage_series')
      .select([...seriesColumns])
      .where('id', 'in', ids)
      .execute();
    for (const row of rows as SqlRow[]) {
      const owner = ownersOf(seriesColumns.slice(1).map((column) => String(row[column])));
      owners.set(owner[0] as string, owner);
      addTo(found, owner[0] as string, sums.get(row.id as string)!);
    }
  }
  await seriesInsert.run(
    transaction,
    inOrder(owners).map(([, values]) => values),
  );
  return found;
}

/** As many as one statement names. */
const idsMax = 500;

function chunksOf(ids: readonly string[]): string[][] {
  const chunks: string[][] = [];
  for (let at = 0; at < ids.length; at += idsMax) chunks.push(ids.slice(at, at + idsMax));
  return chunks;
}

function rowsOf(start: number, sums: Sums): unknown[][] {
  return inOrder(sums).map(([series, figures]) => [start, series, ...figures]);
}

/** So that two writers take their row locks in one order. */
function inOrder<Value>(values: ReadonlyMap<string, Value>): [string, Value][] {
  return [...values].sort(([one], [other]) => (one < other ? -1 : 1));
}
