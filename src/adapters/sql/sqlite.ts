import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { Kysely } from 'kysely';
import { StoreError } from '../../core/store.ts';
import type { Database } from './engine.ts';
import { migrate } from './migrations.ts';
import { SqliteBooks } from './sqlite-books.ts';
import { SqliteDialect } from './sqlite-dialect.ts';
import { sqliteEngine, sqliteTables } from './sqlite-engine.ts';
import { SqliteLink } from './sqlite-link.ts';
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
  const { file, busyTimeoutMs = busyTimeoutMsDefault } = options;
  const inMemory = file === ':memory:';
  if (!inMemory) makeFile(file);
  const writing = await SqliteLink.open({ file, readOnly: false, busyTimeoutMs });
  const links = [writing];
  try {
    const writer = new Kysely<Database>({ dialect: new SqliteDialect(writing) });
    let reader = writer;
    if (!inMemory) {
      const reading = await SqliteLink.open({ file, readOnly: true, busyTimeoutMs });
      links.push(reading);
      reader = new Kysely<Database>({ dialect: new SqliteDialect(reading) });
    }
    const close = async () => {
      await Promise.all(links.map((link) => link.close()));
    };
    await migrate(writer, sqliteTables, Date.now());
    return storeOver(sqliteEngine(reader, writer, close), new SqliteBooks(writing, writer));
  } catch (error) {
    await Promise.all(links.map((link) => link.close()));
    throw error;
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
