import { wholeNumber } from './columns.ts';
import type { SqlEngine } from './engine.ts';
import { summingInsert } from './usage-insert.ts';
import { dayMs, figureColumns, sumColumns } from './usage-rollup.ts';

const dayInsert = summingInsert('usage_days', sumColumns, ['start', 'series']);

/**
 * Moves the sums of hours before a time into their days, an hour at a time. What comes late (a journal that is replayed)
 * stands in its hour again and is moved by the next run: a question reads both, so it is right at any moment.
 */
export async function foldHours(engine: SqlEngine, before: number): Promise<number> {
  let hours = 0;
  for (;;) {
    const moved = await engine.transaction(async (transaction) => {
      const oldest = await transaction
        .selectFrom('usage_hours')
        .select((build) => build.fn.min('start').as('start'))
        .executeTakeFirst();
      if (oldest?.start === null || oldest?.start === undefined) return false;
      const start = wholeNumber(oldest.start);
      // A day is kept by the hour as a whole, or not.
      const day = start - (start % dayMs);
      if (day + dayMs > before) return false;
      const rows = await transaction.deleteFrom('usage_hours').where('start', '=', start).returningAll().execute();
      const sums = rows
        .map((row) => [day, row.series as string, ...figureColumns.map((figure) => wholeNumber(row[figure]))] as const)
        .sort((one, other) => (one[1] < other[1] ? -1 : 1));
      await dayInsert.run(transaction, sums);
      return true;
    });
    if (!moved) return hours;
    hours += 1;
  }
}
