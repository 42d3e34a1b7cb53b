import type { CreateTableBuilder, Expression, Kysely } from 'kysely';
import { sql } from 'kysely';
import type { ColumnKind } from './columns.ts';
import type { Database } from './engine.ts';
import { accountsTable, tables } from './tables.ts';

/** How an engine says what the migrations mean. */
export interface TableWords {
  /** The type of a text that is compared byte by byte. */
  readonly text: Expression<unknown>;
  /** Whether requests are kept in one table a month; then ids have a table of their own. */
  readonly usageByMonth: boolean;
  /** Waits until nobody else is migrating, for the rest of the transaction. */
  lock(transaction: Kysely<Database>): Promise<void>;
}

/** Whatever is described beside these is made by a migration of its own. */
const firstTables = [
  ...[tables.keys, tables.teams, tables.memberships, tables.users, tables.organizations],
  ...[tables.organizationMemberships, tables.endUsers, tables.tags, tables.budgets, tables.models],
  ...[tables.credentials, tables.settings, tables.audit],
];

/**
 * The first tables. Resources come from their descriptions; what the ledger writes is spelled out here. After the first
 * release a column that is new in a description needs a migration that adds it, and is left out here.
 */
export async function createFirstTables(database: Kysely<Database>, words: TableWords): Promise<void> {
  for (const { name, shape } of firstTables) {
    await createDescribed(database, words, name, shape.columns, ['id']);
  }
  await createDescribed(database, words, accountsTable.name, accountsTable.shape.columns, ['key', 'window_start']);
  await createUsage(database, words);
  await createBooks(database, words);

  const indexes: readonly [table: string, columns: readonly string[]][] = [
    ['keys', ['user_id']],
    ['keys', ['team_id']],
    ['keys', ['organization_id']],
    ['teams', ['organization_id']],
    ['memberships', ['user_id']],
    ['memberships', ['team_id']],
    ['organization_memberships', ['user_id']],
    ['organization_memberships', ['organization_id']],
    ['users', ['email']],
    ['models', ['model_name']],
    ['audit', ['at']],
    ['audit', ['object_id', 'at']],
    ['accounts', ['scope', 'id']],
    ['usage', ['started_at']],
    ['usage_tags', ['usage_id']],
    ['leases', ['expires_at']],
  ];
  for (const [table, columns] of indexes) {
    await database.schema
      .createIndex(`${table}_by_${columns.join('_')}`)
      .on(table)
      .columns([...columns])
      .execute();
  }
  for (const column of ['key_id', 'user_id', 'team_id', 'organization_id', 'end_user_id', 'session_id']) {
    await database.schema
      .createIndex(`usage_by_${column}`)
      .on('usage')
      .columns([column, 'started_at'])
      .where(column, 'is not', null)
      .execute();
  }
  // The old key of a rotation keeps its alias until it ends.
  await database.schema
    .createIndex('keys_unique_alias')
    .unique()
    .on('keys')
    .column('alias')
    .where(sql.ref('replaced_by'), 'is', null)
    .execute();
}

export async function createDescribed(
  database: Kysely<Database>,
  words: TableWords,
  table: string,
  columns: readonly { readonly name: string; readonly kind: ColumnKind }[],
  primaryKey: readonly string[],
): Promise<void> {
  let creation = database.schema.createTable(table);
  for (const { name, kind } of columns) {
    const whole = kind === 'boolean' || kind.startsWith('integer');
    creation = creation.addColumn(name, whole ? 'bigint' : words.text, (column) =>
      kind.endsWith('?') ? column : column.notNull(),
    );
  }
  creation = creation.addPrimaryKeyConstraint(`${table}_primary_key`, [...primaryKey] as never);
  // The last line of defence against arithmetic that went wrong.
  if (table === 'accounts') creation = creation.addCheckConstraint('accounts_sane', sql`spent >= 0 and leased >= 0`);
  await creation.execute();
}

async function createUsage(database: Kysely<Database>, { text, usageByMonth }: TableWords): Promise<void> {
  const byMonth = <Creation extends CreateTableBuilder<string, string>>(creation: Creation) =>
    usageByMonth ? creation.modifyEnd(sql`partition by range (started_at)`) : creation;
  let usage = database.schema
    .createTable('usage')
    .addColumn('id', text, (column) => (usageByMonth ? column.notNull() : column.primaryKey()));
  for (const name of ['started_at', 'ended_at']) usage = usage.addColumn(name, 'bigint', (column) => column.notNull());
  for (const name of ['day', 'status', 'path', 'detail']) {
    usage = usage.addColumn(name, text, (column) => column.notNull());
  }
  for (const name of ['error_code', 'key_id', 'user_id', 'team_id', 'organization_id', 'end_user_id', 'session_id']) {
    usage = usage.addColumn(name, text);
  }
  for (const name of ['model_used', 'model_group', 'deployment_id', 'provider']) usage = usage.addColumn(name, text);
  for (const name of ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens', 'total_tokens']) {
    usage = usage.addColumn(name, 'bigint', (column) => column.notNull());
  }
  usage = usage.addColumn('cost', 'bigint', (column) => column.notNull());
  await byMonth(usage).execute();

  const tags = database.schema
    .createTable('usage_tags')
    .addColumn('tag', text, (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('usage_id', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('usage_tags_primary_key', ['tag', 'started_at', 'usage_id']);
  await byMonth(tags).execute();

  if (usageByMonth) {
    await database.schema
      .createTable('usage_ids')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('started_at', 'bigint', (column) => column.notNull())
      .execute();
  }

  // Replaced by a later migration.
  let daily = database.schema.createTable('usage_daily');
  for (const name of dailyDimensionColumns) daily = daily.addColumn(name, text, (column) => column.notNull());
  for (const name of dailyFigures) daily = daily.addColumn(name, 'bigint', (column) => column.notNull());
  await daily.addPrimaryKeyConstraint('usage_daily_primary_key', [...dailyDimensionColumns] as never).execute();
}

const dailyDimensionColumns = [
  ...['day', 'tag', 'key_id', 'user_id', 'team_id', 'organization_id', 'end_user_id'],
  ...['model_used', 'model_group', 'provider', 'deployment_id', 'status', 'path'],
];
const dailyFigures = ['requests', 'input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens', 'cost'];

async function createBooks(database: Kysely<Database>, { text }: TableWords): Promise<void> {
  await database.schema
    .createTable('leases')
    .addColumn('process_id', text, (column) => column.notNull())
    .addColumn('key', text, (column) => column.notNull())
    .addColumn('window_start', 'bigint', (column) => column.notNull())
    .addColumn('amount', 'bigint', (column) => column.notNull().check(sql`amount >= 0`))
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('written_off', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('leases_primary_key', ['process_id', 'key', 'window_start'])
    .execute();
  await database.schema
    .createTable('journal_checkpoints')
    .addColumn('process_id', text, (column) => column.primaryKey())
    .addColumn('segment', 'bigint', (column) => column.notNull())
    .addColumn('position', 'bigint', (column) => column.notNull())
    .execute();
  await database.schema
    .createTable('book_calls')
    .addColumn('process_id', text, (column) => column.notNull())
    .addColumn('token', text, (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('answer', text, (column) => column.notNull())
    .addPrimaryKeyConstraint('book_calls_primary_key', ['process_id', 'token'])
    .execute();
}
