import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import { BulkInsert, type Insert } from './bulk-insert.ts';
import type { SqlRow } from './columns.ts';
import type { Database, SqlEngine, UsageRows } from './engine.ts';
import type { TableWords } from './migration-1.ts';
import { usageColumns } from './usage-row.ts';

/** Text is compared byte by byte here anyway, and whoever writes has the file to itself. */
export const sqliteTables: TableWords = { text: sql`text`, usageByMonth: false, lock: async () => {} };

const newOnly = (insert: Insert) => insert.onConflict((conflict) => conflict.column('id').doNothing());
const usageInsert = new BulkInsert('usage', usageColumns, newOnly);
const tellingInsert = new BulkInsert('usage', usageColumns, (insert) => newOnly(insert).returning('id') as Insert);

/** All requests in one table, whose primary key is the request id. */
class SqliteUsageRows implements UsageRows {
  /** Few, so that the young generation of the database's thread holds what is made of them. */
  readonly atOnce = 64;
  readonly #reader: Kysely<Database>;

  constructor(reader: Kysely<Database>) {
    this.#reader = reader;
  }

  async prepare(): Promise<void> {}

  /** Ids are told back only when one was known already: that happens after a crash, and telling costs much. */
  async insert(
    transaction: Transaction<Database>,
    rows: readonly (readonly unknown[])[],
  ): Promise<'all' | Set<string>> {
    await sql`savepoint usage_rows`.execute(transaction);
    const count = await usageInsert.count(transaction, rows);
    let inserted: 'all' | Set<string> = 'all';
    if (count < rows.length) {
      await sql`rollback to usage_rows`.execute(transaction);
      inserted = new Set((await tellingInsert.run(transaction, rows)).map((row) => row.id as string));
    }
    await sql`release usage_rows`.execute(transaction);
    return inserted;
  }

  async find(id: string): Promise<SqlRow | undefined> {
    return (await this.#reader.selectFrom('usage').selectAll().where('id', '=', id).executeTakeFirst()) as
      | SqlRow
      | undefined;
  }

  async forget(): Promise<void> {}

  async clear(transaction: Transaction<Database>): Promise<void> {
    await transaction.deleteFrom('usage').execute();
  }

  async removeWholeBefore(): Promise<number> {
    return 0;
  }
}

export function sqliteEngine(
  reader: Kysely<Database>,
  writer: Kysely<Database>,
  close: () => Promise<void>,
): SqlEngine {
  return {
    reader,
    writer,
    locksRows: false,
    usageRows: new SqliteUsageRows(reader),
    transaction: async (work, before) => {
      await before?.();
      return writer.transaction().execute(work);
    },
    // A transaction of the writer keeps other writers out.
    snapshot: (work) => writer.transaction().execute(work),
    close,
  };
}
