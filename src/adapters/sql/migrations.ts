import type { Kysely } from 'kysely';
import { StoreError } from '../../core/store.ts';
import { wholeNumber } from './columns.ts';
import { copiedTables } from './copied-tables.ts';
import type { Database } from './engine.ts';
import type { TableWords } from './migration-1.ts';
import { createFirstTables } from './migration-1.ts';
import { createChangeTables } from './migration-2.ts';
import { createOnceTables } from './migration-3.ts';
import { createRollups } from './migration-4.ts';
import { createProjectTables } from './migration-5.ts';
import { createKeptObjects } from './migration-6.ts';
import { indexSumsBySeries } from './migration-7.ts';
import { createTotals } from './migration-8.ts';
import { createOwnerSums } from './migration-9.ts';

export interface Migration {
  /** For people: what it does. */
  readonly title: string;
  readonly apply: (database: Kysely<Database>, words: TableWords) => Promise<void>;
}

/** Forward only; a migration that was released is never changed. The version is the place in this list, from 1. */
const migrations: readonly Migration[] = [
  { title: 'first tables', apply: createFirstTables },
  { title: 'changes and replicas', apply: createChangeTables },
  { title: 'idempotency keys, adjustments and alerts', apply: createOnceTables },
  { title: 'sums by hour and day with latencies', apply: createRollups },
  { title: 'projects, access groups and feedback', apply: createProjectTables },
  { title: 'answers and conversations kept for callers', apply: createKeptObjects },
  { title: 'sums found by series', apply: indexSumsBySeries },
  { title: 'totals without keys; requests found by model and outcome', apply: createTotals },
  { title: 'sums of keys, users and teams without models', apply: createOwnerSums },
];

export interface MigrationStep {
  readonly version: number;
  readonly title: string;
}

/**
 * Brings the tables to the newest version in one transaction; of several programs that do so at once, one works and the
 * others wait for it. Resolves to what was done. Throws StoreError when the tables are newer than this program.
 */
export async function migrate(database: Kysely<Database>, words: TableWords, now: number): Promise<MigrationStep[]> {
  return database.transaction().execute(async (transaction) => {
    await words.lock(transaction);
    await transaction.schema
      .createTable('schema_migrations')
      .ifNotExists()
      .addColumn('version', 'integer', (column) => column.primaryKey())
      .addColumn('applied_at', 'bigint', (column) => column.notNull())
      .execute();
    const done: MigrationStep[] = [];
    for (const { version, title } of stepsAfter(await appliedVersion(transaction))) {
      await migrations[version - 1]!.apply(transaction, words).catch((cause) => {
        throw failedStep(version, title, cause);
      });
      await transaction.insertInto('schema_migrations').values({ version, applied_at: now }).execute();
      done.push({ version, title });
    }
    await requireTables(transaction);
    return done;
  });
}

/** What `migrate` would do, without doing it: nothing is written. */
export async function pendingMigrations(database: Kysely<Database>): Promise<MigrationStep[]> {
  const tables = await database.introspection.getTables();
  const known = tables.some(({ name }) => name === 'schema_migrations');
  const steps = stepsAfter(known ? await appliedVersion(database) : 0);
  if (steps.length === 0) await requireTables(database);
  return steps;
}

/** What an empty database lacks. */
export function allMigrations(): MigrationStep[] {
  return stepsAfter(0);
}

/** Nothing of a migration stays when it fails, so what it ran into was there before. */
function failedStep(version: number, title: string, cause: unknown): unknown {
  if (!(cause instanceof StoreError) || !/refused a statement/.test(cause.message)) return cause;
  const what = `${cause.message.replace(/\.$/, '')}. That was in migration ${version} (${title}); nothing has been changed.`;
  return new StoreError(
    'corrupt',
    `${what} Remove from the database what no release put there, or restore a backup.`,
    cause,
  );
}

/** A database that was restored or copied in part says that it is up to date and is not. */
async function requireTables(database: Kysely<Database>): Promise<void> {
  const present = new Set((await database.introspection.getTables()).map(({ name }) => name));
  const missing = copiedTables.map(({ name }) => name).filter((name) => !present.has(name));
  if (missing.length === 0) return;
  throw new StoreError(
    'corrupt',
    `The database says that its tables are those of schema ${migrations.length}, but it lacks ${missing.join(', ')}. It was restored or copied in part: restore a whole backup.`,
  );
}

async function appliedVersion(database: Kysely<Database>): Promise<number> {
  const newest = await database
    .selectFrom('schema_migrations')
    .select((build) => build.fn.max('version').as('version'))
    .executeTakeFirst();
  return wholeNumber(newest?.version);
}

function stepsAfter(version: number): MigrationStep[] {
  if (version > migrations.length) {
    throw new StoreError(
      'newer_schema',
      `The database was written by a newer release (schema ${version}; this release knows ${migrations.length}). Start that release or a later one, or restore a backup from before the upgrade.`,
    );
  }
  return migrations.map(({ title }, index) => ({ version: index + 1, title })).slice(version);
}
