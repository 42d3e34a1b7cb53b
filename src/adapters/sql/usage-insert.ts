import { randomInt } from 'node:crypto';
import type { BookEntry } from '../../core/books.ts';
import type { BooksTransaction } from './book-rows.ts';
import { BulkInsert } from './bulk-insert.ts';
import type { UsageRows } from './engine.ts';
import { figureColumns, namedColumns, rollupOf, seriesColumns, sumColumns, totalColumns } from './usage-rollup.ts';
import { storableRecord, usageValues } from './usage-row.ts';

const tagInsert = new BulkInsert('usage_tags', ['tag', 'started_at', 'usage_id'], (insert) => insert);

const seriesInsert = new BulkInsert('usage_series', seriesColumns, (insert) =>
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
  /** The entries that were not on record before. */
  readonly fresh: readonly BookEntry[];
  /** Ids of the others. */
  readonly duplicates: readonly string[];
  /** Series that are in the store once the transaction has committed. */
  readonly series: readonly string[];
}

/** Puts requests on record with their tags and what they add to the sums. `known` are series that the store has. */
export async function insertUsage(
  transaction: BooksTransaction,
  usageRows: UsageRows,
  given: readonly BookEntry[],
  known: ReadonlySet<string>,
): Promise<InsertedUsage> {
  const entries = given.map((entry) => {
    const record = storableRecord(entry.record);
    return record === entry.record ? entry : { ...entry, record };
  });
  const rows = entries.map(({ record }) => usageValues(record));
  const inserted = await usageRows.insert(transaction, rows);
  const fresh: BookEntry[] = [];
  const duplicates: string[] = [];
  for (const entry of entries) {
    const { id } = entry.record;
    if (inserted === 'all' || inserted.delete(id)) fresh.push(entry);
    else duplicates.push(id);
  }

  const records = fresh.map(({ record }) => record);
  const tags = records.flatMap((record) => [...new Set(record.tags)].map((tag) => [tag, record.startedAt, record.id]));
  await tagInsert.run(transaction, tags);
  const { series, hours, named, totals } = rollupOf(records, shard);
  const unknown = [...series].filter(([id]) => !known.has(id)).sort(([one], [other]) => (one < other ? -1 : 1));
  await seriesInsert.run(
    transaction,
    unknown.map(([, values]) => values),
  );
  await hourInsert.run(transaction, hours);
  await namedInsert.run(transaction, named);
  // Last: these rows are the ones that others wait for.
  await totalInsert.run(transaction, totals);
  return { fresh, duplicates, series: unknown.map(([id]) => id) };
}
