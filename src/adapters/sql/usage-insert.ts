import type { BookEntry } from '../../core/books.ts';
import type { BooksTransaction } from './book-rows.ts';
import { BulkInsert } from './bulk-insert.ts';
import type { UsageRows } from './engine.ts';
import { dailyDimensionColumns, dailyFigures, dailySums } from './usage-daily.ts';
import { storableRecord, usageValues } from './usage-row.ts';

const tagInsert = new BulkInsert('usage_tags', ['tag', 'started_at', 'usage_id'], (insert) => insert);

const dailyInsert = new BulkInsert('usage_daily', [...dailyDimensionColumns, ...dailyFigures], (insert) =>
  insert.onConflict((conflict) =>
    conflict
      .columns([...dailyDimensionColumns])
      .doUpdateSet((build) =>
        Object.fromEntries(
          dailyFigures.map((figure) => [figure, build(`usage_daily.${figure}`, '+', build.ref(`excluded.${figure}`))]),
        ),
      ),
  ),
);

/** Puts requests on record with their tags and daily sums. Returns the entries that were not on record before. */
export async function insertUsage(
  transaction: BooksTransaction,
  usageRows: UsageRows,
  given: readonly BookEntry[],
): Promise<BookEntry[]> {
  const entries = given.map((entry) => {
    const record = storableRecord(entry.record);
    return record === entry.record ? entry : { ...entry, record };
  });
  const rows = entries.map(({ record }) => usageValues(record));
  const inserted = await usageRows.insert(transaction, rows);
  const fresh: BookEntry[] = [];
  for (const entry of entries) if (inserted.delete(entry.record.id)) fresh.push(entry);

  const records = fresh.map(({ record }) => record);
  const tags = records.flatMap((record) => [...new Set(record.tags)].map((tag) => [tag, record.startedAt, record.id]));
  await tagInsert.run(transaction, tags);
  await dailyInsert.run(transaction, dailySums(records));
  return fresh;
}
