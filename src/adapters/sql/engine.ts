import type { Kysely, Transaction } from 'kysely';
import type { SqlRow } from './columns.ts';

/** Tables and columns are named by data (tables.ts), so Kysely is not told their types. */
export type Database = Record<string, Record<string, unknown>>;

/** What differs between the databases that the store runs on. */
export interface SqlEngine {
  /** For single reads: never waits for a writer. */
  readonly reader: Kysely<Database>;
  readonly writer: Kysely<Database>;
  /** Whether rows can and must be locked (`for update`); false where only one writer exists at a time. */
  readonly locksRows: boolean;
  readonly usageRows: UsageRows;
  /**
   * Runs `work` in one transaction of the writer; again, from `before` on, when the database made it give way to
   * another one.
   */
  transaction<Result>(
    work: (transaction: Transaction<Database>) => Promise<Result>,
    before?: () => Promise<void>,
  ): Promise<Result>;
  /** Reads one state of the whole database, whatever is written meanwhile; long, so not for the data path. */
  snapshot<Result>(work: (reader: Kysely<Database>) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** How the rows of requests are kept: in one table, or in one for each month. */
export interface UsageRows {
  /** So many rows are best inserted together. */
  readonly atOnce: number;
  /** Before the transaction that inserts requests which started at these times. */
  prepare(startTimes: Iterable<number>): Promise<void>;
  /** Puts rows (values in the order of `usageColumns`) on record. Resolves to the ids that were not on record before. */
  insert(transaction: Transaction<Database>, rows: readonly (readonly unknown[])[]): Promise<'all' | Set<string>>;
  find(id: string): Promise<SqlRow | undefined>;
  /** Forgets ids whose rows are about to be deleted in this transaction. */
  forget(transaction: Transaction<Database>, ids: readonly string[]): Promise<void>;
  /** Deletes all rows. */
  clear(transaction: Transaction<Database>): Promise<void>;
  /** Deletes, where that is cheap, whole tables of requests that all ended before the time. Resolves to the number of rows. */
  removeWholeBefore(endedBefore: number): Promise<number>;
}

/** The most values one statement may carry, with room to spare in every engine. */
export const valuesMax = 10_000;

export function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  const result: Item[][] = [];
  for (let start = 0; start < items.length; start += size) result.push(items.slice(start, start + size));
  return result;
}
