import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll } from 'vitest';
import { openSqliteStore } from '../../src/adapters/sql/sqlite.ts';
import type { SqlStore } from '../../src/adapters/sql/store.ts';
import { booksContract } from './books.ts';
import { storeContract } from './store.ts';

const folder = mkdtempSync(join(tmpdir(), 'tollgate-store-'));
const file = join(folder, 'tollgate.db');
let shared: SqlStore | undefined;

/** One store for all tests, emptied in between: starting its threads takes longer than most tests. */
async function openEmpty() {
  shared ??= await openSqliteStore({ file });
  const beside = new DatabaseSync(file, { timeout: 5_000 });
  const tables = beside.prepare("select name from sqlite_master where type = 'table'").all() as { name: string }[];
  // The store remembers which series are there.
  const kept = ['schema_migrations', 'usage_series'];
  for (const { name } of tables) if (!kept.includes(name)) beside.exec(`delete from "${name}"`);
  beside.close();
  const store = {
    ...shared,
    close: async () => {
      await shared?.close();
      shared = undefined;
    },
  };
  return { store, books: shared.books, close: async () => {} };
}

afterAll(async () => {
  await shared?.close();
  rmSync(folder, { recursive: true, force: true });
});

storeContract('SQLite', openEmpty);
booksContract('SQLite', openEmpty);
