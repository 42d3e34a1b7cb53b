import pg from 'pg';
import { afterAll } from 'vitest';
import { openPostgresStore } from '../../src/adapters/sql/postgres.ts';
import type { SqlStore } from '../../src/adapters/sql/store.ts';
import type { TestDatabase } from '../servers/index.ts';
import { freshDatabase } from '../servers/index.ts';
import { booksContract } from './books.ts';
import { storeContract } from './store.ts';

let database: TestDatabase | undefined;
let beside: pg.Client | undefined;
let shared: SqlStore | undefined;

/** One database for all tests, emptied in between. */
async function openEmpty() {
  if (database === undefined) {
    database = await freshDatabase();
    beside = new pg.Client({ connectionString: database.url });
    await beside.connect();
  }
  shared ??= await openPostgresStore({ url: database.url });
  const { rows } = await beside!.query<{ tablename: string }>(
    "select tablename from pg_tables where schemaname = 'public' and tablename !~ '^usage_.*\\d{4}_\\d{2}$'",
  );
  // The store remembers which series are there.
  const kept = ['schema_migrations', 'usage_series'];
  const names = rows.map(({ tablename }) => tablename).filter((name) => !kept.includes(name));
  await beside!.query(names.map((name) => `delete from "${name}"`).join(';'));
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
  await beside?.end();
  await database?.drop();
});

storeContract('PostgreSQL', openEmpty);
booksContract('PostgreSQL', openEmpty);
