import type { Kysely } from 'kysely';

/** Tables and columns are named by data (tables.ts), so Kysely is not told their types. */
export type Database = Record<string, Record<string, unknown>>;

/** What differs between the databases that the store runs on. */
export interface SqlEngine {
  /** For single reads: never waits for a writer. */
  readonly reader: Kysely<Database>;
  readonly writer: Kysely<Database>;
  /** Whether rows can and must be locked (`for update`); false where only one writer exists at a time. */
  readonly locksRows: boolean;
  close(): Promise<void>;
}

/** The most values one statement may carry, with room to spare in every engine. */
export const valuesMax = 10_000;

export function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  const result: Item[][] = [];
  for (let start = 0; start < items.length; start += size) result.push(items.slice(start, start + size));
  return result;
}
