import { Kysely, sql } from 'kysely';
import pg from 'pg';
import { StoreError } from '../../core/store.ts';
import { SqlBooks } from './books.ts';
import type { Database, SqlEngine } from './engine.ts';
import type { TableWords } from './migration-1.ts';
import type { MigrationStep } from './migrations.ts';
import { migrate, pendingMigrations } from './migrations.ts';
import type { PostgresAddress } from './postgres-address.ts';
import { parsePostgresAddress } from './postgres-address.ts';
import { postgresDialect } from './postgres-dialect.ts';
import { LostRaceError, MissingMonthError, postgresError } from './postgres-error.ts';
import { PostgresGate } from './postgres-gate.ts';
import { makeMonth, monthOf } from './postgres-months.ts';
import { clientConfig, PostgresPool } from './postgres-pool.ts';
import { PostgresRecalls } from './postgres-recalls.ts';
import { strangerAt } from './postgres-stranger.ts';
import { PostgresUsageRows } from './postgres-usage-rows.ts';
import type { SqlStore } from './store.ts';
import { storeOver } from './store.ts';

export interface PostgresOptions {
  /** `postgresql://user:password@host:port/database`, with the parameters that postgres-address.ts knows. */
  readonly url: string;
  /** Connections in all, at least 2; 10 when neither this nor `connection_limit` in the address says otherwise. */
  readonly poolMax?: number;
  /** For a statement of the books or of a change; 5,000 when left out. */
  readonly statementTimeoutMs?: number;
  /** For a report; 30,000 when left out. */
  readonly reportTimeoutMs?: number;
  /** 5,000 when neither this nor `connect_timeout` in the address says otherwise. */
  readonly connectTimeoutMs?: number;
}

const poolMaxDefault = 10;
const statementTimeoutMsDefault = 5_000;
const reportTimeoutMsDefault = 30_000;
const connectTimeoutMsDefault = 5_000;

/** Times that a transaction is run again after it had to give way. */
const repetitionsMax = 3;
const repetitionDelayMs = 10;
const migrationWaitMs = 120_000;
/** Any number that nothing else in the database uses: 'tollgate' in ASCII. */
const migrationLock = '8390042714201122917';

const postgresTables: TableWords = {
  // Byte order, as in SQLite: lists come in the same order wherever the database was made.
  text: sql`text collate "C"`,
  usageByMonth: true,
  lock: async (transaction) => {
    await sql`set local lock_timeout = ${sql.lit(migrationWaitMs)}`.execute(transaction);
    await sql`select pg_advisory_xact_lock(${sql.lit(migrationLock)}::bigint)`.execute(transaction);
  },
};

/**
 * Opens the store on a PostgreSQL server, bringing its tables to the newest version first. One pool writes and one reads,
 * so that reports do not delay the books. Throws StoreError; its message holds no password.
 */
export async function openPostgresStore(options: PostgresOptions): Promise<SqlStore> {
  const engine = await openPostgresEngine(options);
  const address = parsePostgresAddress(options.url);
  const connectTimeoutMs = options.connectTimeoutMs ?? address.connectTimeoutMs ?? connectTimeoutMsDefault;
  // Behind a pooler that hands connections around nobody can listen.
  const recalls = address.pooled ? null : new PostgresRecalls(address, connectTimeoutMs);
  return storeOver(engine, new SqlBooks(engine), recalls, () => serverTime(engine.reader));
}

async function serverTime(reader: Kysely<Database>): Promise<number> {
  const asking = sql<{ now: string }>`select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now`;
  return Number((await asking.execute(reader)).rows[0]!.now);
}

/** The same without the repositories over it. */
export async function openPostgresEngine(options: PostgresOptions): Promise<SqlEngine> {
  const address = parsePostgresAddress(options.url);
  const { statementTimeoutMs = statementTimeoutMsDefault, reportTimeoutMs = reportTimeoutMsDefault } = options;
  const connectTimeoutMs = options.connectTimeoutMs ?? address.connectTimeoutMs ?? connectTimeoutMsDefault;
  await migratePostgres(options);

  const poolMax = Math.max(2, options.poolMax ?? address.poolMax ?? poolMaxDefault);
  const writers = Math.ceil(poolMax / 2);
  const gate = new PostgresGate(() => probe(address, connectTimeoutMs));
  const pool = (connectionsMax: number, timeoutMs: number) =>
    new PostgresPool(address, { connectionsMax, connectTimeoutMs, statementTimeoutMs: timeoutMs }, gate);
  const writing = pool(writers, statementTimeoutMs);
  const reading = pool(poolMax - writers, reportTimeoutMs);
  const writer = new Kysely<Database>({ dialect: postgresDialect(writing) });
  const reader = new Kysely<Database>({ dialect: postgresDialect(reading) });
  const usageRows = new PostgresUsageRows(reader, writer);
  return {
    reader,
    writer,
    locksRows: true,
    usageRows,
    transaction: (work, before) =>
      repeated(async () => {
        await before?.();
        return writer.transaction().execute(work);
      }, usageRows),
    snapshot: (work) =>
      writer.transaction().execute(async (transaction) => {
        await sql`set transaction isolation level repeatable read`.execute(transaction);
        return work(transaction);
      }),
    close: async () => {
      gate.close();
      await Promise.all([writing.close(), reading.close()]);
    },
  };
}

/** Applies what is missing and resolves to it. Throws StoreError, also when the tables are newer than this program. */
export function migratePostgres(options: Pick<PostgresOptions, 'url' | 'connectTimeoutMs'>): Promise<MigrationStep[]> {
  return withOneConnection(options, async (database, address) => {
    if (address.schema !== null) await database.schema.createSchema(address.schema).ifNotExists().execute();
    const now = Date.now();
    const steps = await migrate(database, postgresTables, now);
    // Ahead of time; later ones are made as requests come.
    for (const month of [monthOf(now), monthOf(now) + 1]) await makeMonth(database, month);
    return steps;
  });
}

export function pendingPostgresMigrations(
  options: Pick<PostgresOptions, 'url' | 'connectTimeoutMs'>,
): Promise<MigrationStep[]> {
  return withOneConnection(options, pendingMigrations);
}

async function withOneConnection<Result>(
  { url, connectTimeoutMs }: Pick<PostgresOptions, 'url' | 'connectTimeoutMs'>,
  work: (database: Kysely<Database>, address: PostgresAddress) => Promise<Result>,
): Promise<Result> {
  const address = parsePostgresAddress(url);
  const limits = {
    connectionsMax: 1,
    connectTimeoutMs: connectTimeoutMs ?? address.connectTimeoutMs ?? connectTimeoutMsDefault,
    statementTimeoutMs: 0,
  };
  const gate = new PostgresGate(async () => {});
  await meet(address, limits.connectTimeoutMs);
  const pool = new PostgresPool(address, limits, gate);
  const database = new Kysely<Database>({ dialect: postgresDialect(pool) });
  try {
    return await work(database, address);
  } finally {
    gate.close();
    await pool.close();
  }
}

/** Signs in and leaves; a server that is none of PostgreSQL's is called by its name. */
async function meet(address: PostgresAddress, connectTimeoutMs: number): Promise<void> {
  try {
    await probe(address, connectTimeoutMs);
  } catch (cause) {
    const stranger = isCurt(cause) ? await strangerAt(address.host, address.port) : null;
    if (stranger === null) throw cause;
    const text = `At the address of the database, ${address.label}, is ${stranger}, no PostgreSQL. Check the host and the port.`;
    throw new StoreError('unavailable', text, cause);
  }
}

/** It broke off, or said what no PostgreSQL says. */
function isCurt(cause: unknown): boolean {
  return (
    cause instanceof Error && /lost the connection|does not answer|SSL|TLS|refused a statement/.test(cause.message)
  );
}

/** Signs in and leaves. */
async function probe(address: PostgresAddress, connectTimeoutMs: number): Promise<void> {
  const limits = { connectionsMax: 1, connectTimeoutMs, statementTimeoutMs: connectTimeoutMs };
  const client = new pg.Client(clientConfig(address, limits));
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
  } catch (cause) {
    throw postgresError(cause, address.label);
  } finally {
    void client.end().catch(() => {});
  }
}

async function repeated<Result>(run: () => Promise<Result>, usageRows: PostgresUsageRows): Promise<Result> {
  for (let repetition = 0; ; repetition += 1) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof LostRaceError) || repetition === repetitionsMax) throw error;
      if (error instanceof MissingMonthError) usageRows.forgetMonths();
      const delayMs = Math.random() * repetitionDelayMs * 2 ** repetition;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }
}
