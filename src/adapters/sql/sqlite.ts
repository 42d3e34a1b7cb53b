import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { Kysely, sql } from 'kysely';
import { StoreError } from '../../core/store.ts';
import type { Database, SqlEngine } from './engine.ts';
import type { MigrationStep } from './migrations.ts';
import { allMigrations, migrate, pendingMigrations } from './migrations.ts';
import { SqliteBooks } from './sqlite-books.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { sqliteEngine, sqliteTables } from './sqlite-engine.ts';
import { SqliteLink } from './sqlite-link.ts';
import type { SqliteOpening } from './sqlite-protocol.ts';
import type { SqlStore } from './store.ts';
import { storeOver } from './store.ts';

export interface SqliteOptions {
  /** Path of the database; made, with its folder, when it does not exist. `:memory:` for one that ends with the program. */
  readonly file: string;
  /** How long to wait for another program that writes to the file; 5,000 when left out. */
  readonly busyTimeoutMs?: number;
}

const busyTimeoutMsDefault = 5_000;

/**
 * Opens the embedded store: SQLite in WAL mode with `synchronous=FULL`, one thread for writing and one for reading, so
 * that a long report neither blocks the event loop nor delays the books. Throws StoreError.
 */
export async function openSqliteStore(options: SqliteOptions): Promise<SqlStore> {
  const { engine, writing } = await openSqlite(options);
  return storeOver(engine, new SqliteBooks(writing, engine.writer));
}

/** The same without the repositories over it. */
export async function openSqliteEngine(options: SqliteOptions): Promise<SqlEngine> {
  return (await openSqlite(options)).engine;
}

async function openSqlite(options: SqliteOptions): Promise<{ engine: SqlEngine; writing: SqliteLink }> {
  const { file, busyTimeoutMs = busyTimeoutMsDefault } = options;
  const inMemory = file === ':memory:';
  if (!inMemory) makeFile(file);
  const writing = await SqliteLink.open({ file, readOnly: false, busyTimeoutMs });
  const links = [writing];
  try {
    const writer = new Kysely<Database>({ dialect: sqliteDialect(writing) });
    let reader = writer;
    if (!inMemory) {
      const reading = await SqliteLink.open({ file, readOnly: true, busyTimeoutMs });
      links.push(reading);
      reader = new Kysely<Database>({ dialect: sqliteDialect(reading) });
    }
    const close = async () => {
      await Promise.all(links.map((link) => link.close()));
    };
    await migrate(writer, sqliteTables, Date.now());
    return { engine: sqliteEngine(reader, writer, close), writing };
  } catch (error) {
    await Promise.all(links.map((link) => link.close()));
    throw error;
  }
}

/** Applies what is missing and resolves to it; makes the database when there is none. Throws StoreError. */
export function migrateSqlite({ file }: SqliteOptions): Promise<MigrationStep[]> {
  makeFile(file);
  return withLink({ file, readOnly: false, busyTimeoutMs: busyTimeoutMsDefault }, (database) =>
    migrate(database, sqliteTables, Date.now()),
  );
}

/** What `migrateSqlite` would do, without writing or making anything. */
export async function pendingSqliteMigrations({ file }: SqliteOptions): Promise<MigrationStep[]> {
  if (!existsSync(file)) return allMigrations();
  return withLink({ file, readOnly: true, busyTimeoutMs: busyTimeoutMsDefault }, pendingMigrations);
}

/** Reads one state of the file without keeping its writers waiting. */
export function readSqlite<Result>(
  { file }: SqliteOptions,
  work: (reader: Kysely<Database>) => Promise<Result>,
): Promise<Result> {
  return withLink({ file, readOnly: true, busyTimeoutMs: busyTimeoutMsDefault }, async (reader) => {
    await sql`begin`.execute(reader);
    return work(reader);
  });
}

async function withLink<Result>(
  opening: SqliteOpening,
  work: (database: Kysely<Database>) => Promise<Result>,
): Promise<Result> {
  const link = await SqliteLink.open(opening);
  try {
    return await work(new Kysely<Database>({ dialect: sqliteDialect(link) }));
  } finally {
    await link.close();
  }
}

/** Only the user who runs the gateway may read the file: it holds hashes of keys and who asked what. */
function makeFile(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    closeSync(openSync(file, 'a', 0o600));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new StoreError(
      code === 'ENOSPC' ? 'full' : 'not_writable',
      `The database ${file} cannot be created or written (${code}). ${
        code === 'ENOSPC'
          ? 'Free space on its disk.'
          : 'Give the user that runs the gateway write permission on the folder, or choose another folder.'
      }`,
      cause,
    );
  }
}
