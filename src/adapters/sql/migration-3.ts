import type { Kysely } from 'kysely';
import type { Database } from './engine.ts';
import type { TableWords } from './migration-1.ts';

/** What may happen once only: requests with a key of their caller's, corrections of the books, alerts of a window. */
export async function createOnceTables(database: Kysely<Database>, { text }: TableWords): Promise<void> {
  await database.schema
    .createTable('idempotency')
    .addColumn('key', text, (column) => column.primaryKey())
    .addColumn('fingerprint', text, (column) => column.notNull())
    .addColumn('request_id', text, (column) => column.notNull())
    .addColumn('state', text, (column) => column.notNull())
    .addColumn('running_until', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('status', 'bigint')
    .addColumn('content_type', text)
    .addColumn('body', text)
    .execute();
  await database.schema.createIndex('idempotency_by_expires_at').on('idempotency').column('expires_at').execute();
  await database.schema
    .createTable('adjustments')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('actor', text, (column) => column.notNull())
    .addColumn('reason', text, (column) => column.notNull())
    .addColumn('request_id', text)
    .addColumn('key', text, (column) => column.notNull())
    .addColumn('window_start', 'bigint', (column) => column.notNull())
    .addColumn('amount', 'bigint', (column) => column.notNull())
    .execute();
  await database.schema
    .createIndex('adjustments_by_account')
    .on('adjustments')
    .columns(['key', 'window_start'])
    .execute();
  await database.schema
    .createTable('alerts')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .execute();
}
