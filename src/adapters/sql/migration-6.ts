import type { Kysely } from 'kysely';
import type { Database } from './engine.ts';
import type { TableWords } from './migration-1.ts';

/** What callers come back to: answers, and conversations with their items. */
export async function createKeptObjects(database: Kysely<Database>, { text }: TableWords): Promise<void> {
  await database.schema
    .createTable('kept_objects')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('kind', text, (column) => column.notNull())
    .addColumn('owner', text, (column) => column.notNull())
    .addColumn('parent', text)
    .addColumn('position', 'bigint', (column) => column.notNull())
    .addColumn('body', text, (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute();
  await database.schema.createIndex('kept_objects_by_parent').on('kept_objects').column('parent').execute();
  await database.schema.createIndex('kept_objects_by_expires_at').on('kept_objects').column('expires_at').execute();
}
