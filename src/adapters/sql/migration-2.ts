import type { Kysely } from 'kysely';
import type { Database } from './engine.ts';
import type { TableWords } from './migration-1.ts';

/** What processes over one store tell each other: that something was changed, and that they are alive. */
export async function createChangeTables(database: Kysely<Database>, { text }: TableWords): Promise<void> {
  await database.schema
    .createTable('changes')
    .addColumn('version', 'bigint', (column) => column.primaryKey())
    .addColumn('scope', text, (column) => column.notNull())
    .addColumn('id', text, (column) => column.notNull())
    .execute();
  await database.schema
    .createTable('change_counter')
    .addColumn('name', text, (column) => column.primaryKey())
    .addColumn('version', 'bigint', (column) => column.notNull())
    .execute();
  await database.schema
    .createTable('replicas')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('beats', 'bigint', (column) => column.notNull())
    .execute();
}
