import { wholeNumber } from './columns.ts';
import type { SqlEngine } from './engine.ts';
import { summingInsert } from './usage-insert.ts';
import { dayMs, figureColumns, sumColumns, totalColumns } from './usage-rollup.ts';

const folds = [
  {
    hours: 'usage_hours',
    days: summingInsert('usage_days', sumColumns, ['start', 'series']),
    identity: (day: number, series: string) => [day, series],
  },
  {
    hours: 'usage_total_hours',
    days: summingInsert('usage_total_days', totalColumns, ['start', 'series', 'shard']),
    // The shards of a day that is over become one.
    identity: (day: number, series: string) => [day, series, 0],
  },
] as const;

/**
 * Moves the sums of hours before a time into their days, an hour at a time. What comes late (a journal that is replayed)
 * stands in its hour again and is moved by the next run: a question reads both, so it is right at any moment.
 */
export async function foldHours(engine: SqlEngine, before: number): Promise<number> {
  const [hours] = [await foldTable(engine, before, folds[0]), await foldTable(engine, before, folds[1])];
  return hours;
}

async function foldTable(engine: SqlEngine, before: number, fold: (typeof folds)[number]): Promise<number> {
  let hours = 0;
  for (;;) {
    const moved = await engine.transaction(async (transaction) => {
      const oldest = await transaction
        .selectFrom(fold.hours)
        .select((build) => build.fn.min('start').as('start'))
        .executeTakeFirst();
      if (oldest?.start === null || oldest?.start === undefined) return false;
      const start = wholeNumber(oldest.start);
      // A day is kept by the hour as a whole, or not.
      const day = start - (start % dayMs);
      if (day + dayMs > before) return false;
      const rows = await transaction.deleteFrom(fold.hours).where('start', '=', start).returningAll().execute();
      const sums = new Map<string, number[]>();
      for (const row of rows) {
        const series = row.series as string;
        const figures = figureColumns.map((figure) => wholeNumber(row[figure]));
        const known = sums.get(series);
        sums.set(series, known === undefined ? figures : known.map((figure, index) => figure + figures[index]!));
      }
      const inOrder = [...sums].sort(([one], [other]) => (one < other ? -1 : 1));
      await fold.days.run(
        transaction,
        inOrder.map(([series, figures]) => [...fold.identity(day, series), ...figures]),
      );
      return true;
    });
    if (!moved) return hours;
    hours += 1;
  }
}
