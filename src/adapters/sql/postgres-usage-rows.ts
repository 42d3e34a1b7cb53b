import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import { BulkInsert } from './bulk-insert.ts';
import type { SqlRow } from './columns.ts';
import { wholeNumber } from './columns.ts';
import type { Database, UsageRows } from './engine.ts';
import type { Month } from './postgres-months.ts';
import { dropMonth, existingMonths, makeMonth, monthOf, monthStart } from './postgres-months.ts';
import { usageColumns } from './usage-row.ts';

/*
 * Requests stand in one table a month, so that old ones go at no cost and each month's indexes stay small. A unique
 * index cannot reach over the months, so a table of ids says what is on record, and in which month.
 */

const idInsert = new BulkInsert(
  'usage_ids',
  ['id', 'started_at'],
  (insert) => insert.onConflict((conflict) => conflict.column('id').doNothing()).returning('id') as typeof insert,
);

const rowInsert = new BulkInsert('usage', usageColumns, (insert) => insert);

const idAt = usageColumns.indexOf('id');
const startAt = usageColumns.indexOf('started_at');
/** Ids deleted in one transaction. */
const idsAtOnce = 5_000;

export class PostgresUsageRows implements UsageRows {
  /** All of a batch, so that two writers take the same ids in the same order. */
  readonly atOnce = Number.POSITIVE_INFINITY;
  readonly #reader: Kysely<Database>;
  readonly #writer: Kysely<Database>;
  #known = new Set<Month>();

  constructor(reader: Kysely<Database>, writer: Kysely<Database>) {
    this.#reader = reader;
    this.#writer = writer;
  }

  /** Makes the months that are missing, and with each the one after it, so that the turn of a month finds it there. */
  async prepare(startTimes: Iterable<number>): Promise<void> {
    const wanted = new Set(Array.from(startTimes, monthOf));
    for (const month of wanted) {
      if (this.#known.has(month)) continue;
      await makeMonth(this.#writer, month);
      await makeMonth(this.#writer, month + 1);
      this.#known.add(month);
    }
  }

  /** Another process may have dropped a month for age. */
  forgetMonths(): void {
    this.#known = new Set();
  }

  async insert(transaction: Transaction<Database>, rows: readonly (readonly unknown[])[]): Promise<Set<string>> {
    // In one order everywhere, so that two writers with the same requests do not wait for each other crosswise.
    const ids = rows.map((row) => [row[idAt], row[startAt]]).sort(([one], [other]) => (one! < other! ? -1 : 1));
    const inserted = new Set((await idInsert.run(transaction, ids)).map((row) => row.id as string));
    const left = new Set(inserted);
    await rowInsert.run(
      transaction,
      rows.filter((row) => left.delete(row[idAt] as string)),
    );
    return inserted;
  }

  async find(id: string): Promise<SqlRow | undefined> {
    const entry = await this.#reader
      .selectFrom('usage_ids')
      .select('started_at')
      .where('id', '=', id)
      .executeTakeFirst();
    if (entry === undefined) return undefined;
    // The start names the month, and its index leads to the row.
    return (await this.#reader
      .selectFrom('usage')
      .selectAll()
      .where('started_at', '=', entry.started_at)
      .where('id', '=', id)
      .executeTakeFirst()) as SqlRow | undefined;
  }

  async forget(transaction: Transaction<Database>, ids: readonly string[]): Promise<void> {
    await transaction
      .deleteFrom('usage_ids')
      .where('id', 'in', [...ids])
      .execute();
  }

  async clear(transaction: Transaction<Database>): Promise<void> {
    await transaction.deleteFrom('usage_ids').execute();
    await transaction.deleteFrom('usage').execute();
  }

  async removeWholeBefore(endedBefore: number): Promise<number> {
    let removed = 0;
    for (const month of await existingMonths(this.#writer)) {
      if (monthStart(month + 1) > endedBefore) continue;
      const rows = await this.#removeMonth(month, endedBefore);
      removed += rows;
    }
    return removed;
  }

  /** Ids first: should this be interrupted, the next run finds the month and finishes. */
  async #removeMonth(month: Month, endedBefore: number): Promise<number> {
    const [from, to] = [monthStart(month), monthStart(month + 1)];
    const within = this.#writer.selectFrom('usage').where('started_at', '>=', from).where('started_at', '<', to);
    const figures = await within
      .select((build) => [build.fn.countAll().as('rows'), build.fn.max('ended_at').as('last')])
      .executeTakeFirst();
    if (wholeNumber(figures?.last) >= endedBefore) return 0;
    await this.#forgetBetween(from, to);
    await dropMonth(this.#writer, month);
    this.#known.delete(month);
    return wholeNumber(figures?.rows);
  }

  /** In slices of time, so that no transaction is long. */
  async #forgetBetween(from: number, to: number): Promise<void> {
    let start = from;
    for (;;) {
      const slice = await sql<SqlRow>`
        select max(started_at) as last from (
          select started_at from usage where started_at >= ${start} and started_at < ${to}
          order by started_at limit ${idsAtOnce}
        ) as slice`.execute(this.#writer);
      const last = slice.rows[0]?.last;
      if (last === null || last === undefined) return;
      await sql`
        delete from usage_ids where id in (
          select id from usage where started_at >= ${start} and started_at <= ${last}
        )`.execute(this.#writer);
      start = wholeNumber(last) + 1;
    }
  }
}
