import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { AccountRecord, AdjustmentRecord, AdjustmentRepository } from '../../core/store.ts';
import { wholeNumber } from './columns.ts';
import type { Database } from './engine.ts';
import { accountsTable } from './tables.ts';

/** Corrections of what accounts have spent, each with its line. */
export class SqlAdjustments implements AdjustmentRepository {
  readonly #writer: Kysely<Database>;
  readonly #locksRows: boolean;

  constructor(writer: Kysely<Database>, locksRows: boolean) {
    this.#writer = writer;
    this.#locksRows = locksRows;
  }

  async credit(adjustment: AdjustmentRecord): Promise<AccountRecord | null> {
    const { key, windowStart, amount } = adjustment;
    const select = this.#writer
      .selectFrom('accounts')
      .selectAll()
      .where('key', '=', key)
      .where('window_start', '=', windowStart);
    const row = await (this.#locksRows ? select.forUpdate() : select).executeTakeFirst();
    if (row === undefined) return null;
    const writtenOff = await this.#writer
      .selectFrom('leases')
      .select((build) => build.fn.sum('amount').as('amount'))
      .where('key', '=', key)
      .where('window_start', '=', windowStart)
      .where('written_off', '=', 1)
      .executeTakeFirst();
    // What stands in for a vanished process comes back by itself: only the rest can be given back.
    if (wholeNumber(row.spent) - wholeNumber(writtenOff?.amount) < amount) return null;
    await this.#writer
      .insertInto('adjustments')
      .values({
        id: adjustment.id,
        at: adjustment.at,
        actor: adjustment.actor,
        reason: adjustment.reason,
        request_id: adjustment.requestId,
        key,
        window_start: windowStart,
        amount,
      })
      .execute();
    const changed = await this.#writer
      .updateTable('accounts')
      .set({ spent: sql`spent - ${amount}` })
      .where('key', '=', key)
      .where('window_start', '=', windowStart)
      .returningAll()
      .executeTakeFirstOrThrow();
    return accountsTable.shape.fromSql(changed);
  }

  async creditedFor(requestId: string, key: string, windowStart: number): Promise<number> {
    const sum = await this.#writer
      .selectFrom('adjustments')
      .select((build) => build.fn.sum('amount').as('amount'))
      .where('request_id', '=', requestId)
      .where('key', '=', key)
      .where('window_start', '=', windowStart)
      .executeTakeFirst();
    return wholeNumber(sum?.amount);
  }
}
