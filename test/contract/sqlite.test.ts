import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/adapters/sql/sqlite.ts';
import { booksContract } from './books.ts';
import { storeContract } from './store.ts';

async function openSqlite() {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-store-'));
  const store = await openSqliteStore({ file: join(folder, 'tollgate.db') });
  const close = async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { store, books: store.books, close };
}

storeContract('SQLite', openSqlite);
booksContract('SQLite', openSqlite);
