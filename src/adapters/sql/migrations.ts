import type { Kysely } from 'kysely';
import { StoreError } from '../../core/store.ts';
import { wholeNumber } from './columns.ts';
import type { Database, SqlEngine } from './engine.ts';
import { createFirstTables } from './migration-1.ts';
import { createChangeTables } from './migration-2.ts';

/** Forward only; a migration that was released is never changed. The version is the place in this list, from 1. */
const migrations: readonly ((database: Kysely<Database>) => Promise<void>)[] = [createFirstTables, createChangeTables];

/** Brings the tables to the newest version in one transaction. Throws StoreError when they are newer than this program. */
export async function migrate(engine: SqlEngine, now: number): Promise<void> {
  await engine.writer.transaction().execute(async (database) => {
    await database.schema
      .createTable('schema_migrations')
      .ifNotExists()
      .addColumn('version', 'integer', (column) => column.primaryKey())
      .addColumn('applied_at', 'bigint', (column) => column.notNull())
      .execute();
    const newest = await database
      .selectFrom('schema_migrations')
      .select((build) => build.fn.max('version').as('version'))
      .executeTakeFirst();
    const version = wholeNumber(newest?.version);
    if (version > migrations.length) {
      throw new StoreError(
        'newer_schema',
        `The database was written by a newer release (schema ${version}; this release knows ${migrations.length}). Start that release or a later one, or restore a backup from before the upgrade.`,
      );
    }
    for (const [index, apply] of migrations.entries()) {
      if (index < version) continue;
      await apply(database);
      await database
        .insertInto('schema_migrations')
        .values({ version: index + 1, applied_at: now })
        .execute();
    }
  });
}
