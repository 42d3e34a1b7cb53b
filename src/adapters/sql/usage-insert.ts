import { randomInt } from 'node:crypto';
import type { BookEntry } from '../../core/books.ts';
import type { BooksTransaction } from './book-rows.ts';
import { BulkInsert } from './bulk-insert.ts';
import type { UsageRows } from './engine.ts';
import { figureColumns, namedColumns, RollupSums, seriesColumns, sumColumns, totalColumns } from './usage-rollup.ts';
import { storableRecord, usageValues } from './usage-row.ts';

const tagInsert = new BulkInsert('usage_tags', ['tag', 'started_at', 'usage_id'], (insert) => insert);

export const seriesInsert = new BulkInsert('usage_series', seriesColumns, (insert) =>
  insert.onConflict((conflict) => conflict.column('id').doNothing()),
);

/** Adds to the sums that are there. */
export function summingInsert(table: string, columns: readonly string[], key: readonly string[]): BulkInsert {
  return new BulkInsert(table, columns, (insert) =>
    insert.onConflict((conflict) =>
      conflict
        .columns([...key])
        .doUpdateSet((build) =>
          Object.fromEntries(
            figureColumns.map((figure) => [figure, build(`${table}.${figure}`, '+', build.ref(`excluded.${figure}`))]),
          ),
        ),
    ),
  );
}

const hourInsert = summingInsert('usage_hours', sumColumns, ['start', 'series']);
const namedInsert = summingInsert('usage_named', namedColumns, ['kind', 'name', 'start', 'series']);

const totalInsert = summingInsert('usage_total_hours', totalColumns, ['start', 'series', 'shard']);
/** Few enough to be read at once, many enough that two processes seldom share one. */
const shard = randomInt(16);

export interface InsertedUsage {
  /** Entries that were on record before: their ids, and their places among those given. */
  readonly duplicates: readonly { readonly id: string; readonly place: number }[];
  /** Series that are in the store once the transaction has committed. */
  readonly series: readonly string[];
}

/** Puts requests on record with their tags and what they add to the sums. `known` are series that the store has. */
export async function insertUsage(
  transaction: BooksTransaction,
  usageRows: UsageRows,
  given: Iterable<BookEntry>,
  known: ReadonlySet<string>,
): Promise<InsertedUsage> {
  const sums = new RollupSums();
  const duplicates: { id: string; place: number }[] = [];
  let place = 0;
  for (const entries of chunksOf(given, usageRows.atOnce)) {
    const records = entries.map(({ record }) => storableRecord(record));
    const rows = records.map((record, index) =>
      usageValues(record, record === entries[index]!.record ? entries[index]!.detail : undefined),
    );
    const inserted = await usageRows.insert(transaction, rows);
    const tags: unknown[][] = [];
    for (const record of records) {
      const { id } = record;
      if (inserted !== 'all' && !inserted.delete(id)) duplicates.push({ id, place });
      else {
        sums.add(record);
        if (record.tags.length > 0) for (const tag of new Set(record.tags)) tags.push([tag, record.startedAt, id]);
      }
      place += 1;
    }
    await tagInsert.run(transaction, tags);
  }
  const { series, hours, named, totals } = sums.rollup(shard);
  const unknown = [...series].filter(([id]) => !known.has(id)).sort(([one], [other]) => (one < other ? -1 : 1));
  await seriesInsert.run(
    transaction,
    unknown.map(([, values]) => values),
  );
  await hourInsert.run(transaction, hours);
  await namedInsert.run(transaction, named);
  // Last: these rows are the ones that others wait for.
  await totalInsert.run(transaction, totals);
  return { duplicates, series: unknown.map(([id]) => id) };
}

function* chunksOf(entries: Iterable<BookEntry>, length: number): Generator<readonly BookEntry[]> {
  let chunk: BookEntry[] = [];
  for (const entry of entries) {
    chunk.push(entry);
    if (chunk.length < length) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
