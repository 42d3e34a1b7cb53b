import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { expect, it } from 'vitest';
import { openPostgresStore } from '../../src/adapters/sql/postgres.ts';
import { openSqliteStore } from '../../src/adapters/sql/sqlite.ts';
import type { SqlStore } from '../../src/adapters/sql/store.ts';
import { freshDatabase } from '../servers/index.ts';
import { requestRecord } from './records.ts';

/* A database from before there were totals and sums of owners: they are made of its sums, and then grow with them. */

const dayMs = 86_400_000;
/** What the migrations make, taken away again. */
const withoutTotals = [
  'drop table usage_total_hours',
  'drop table usage_total_days',
  'drop index if exists usage_by_model_used',
  'drop index usage_by_status',
  'drop index usage_by_error_code',
  ...['usage_past_hours', 'usage_owner_days', 'usage_owner_weeks'].map((table) => `drop table ${table}`),
  `delete from usage_series where path = ''`,
  'delete from schema_migrations where version >= 8',
];

async function grows(open: () => Promise<SqlStore>, run: (statements: readonly string[]) => Promise<void>) {
  let store = await open();
  const record = async (count: number, day: number) => {
    const records = Array.from({ length: count }, (_, index) => {
      const startedAt = day * dayMs + index * 60_000;
      const keyId = index % 3 === 0 ? null : `key${index % 5}`;
      const modelGroup = index % 7 === 0 ? null : `m${index % 2}`;
      return requestRecord(`d${day}-${index}`, { startedAt, keyId, modelGroup, cost: index, provider: 'p' });
    });
    await store.books.apply({ processId: 'p', entries: records.map((one) => ({ record: one, accounts: [] })) });
  };
  const asked = async () => [
    await store.usage.measure({}, []),
    await store.usage.summarize({ from: 0, to: 9 * dayMs }, ['day', 'modelGroup']),
    await store.usage.summarize({ from: 0, to: 7 * dayMs }, ['keyId', 'status']),
    await store.usage.summarize({ from: dayMs, to: 7 * dayMs }, ['keyId']),
  ];
  await record(40, 1);
  await store.usage.fold(3 * dayMs);
  await record(30, 5);
  await store.usage.fold(5 * dayMs, 6 * dayMs);
  await record(9, 6);
  const before = await asked();
  expect(before[0]).toMatchObject([{ requests: 79 }]);
  await store.close();
  await run(withoutTotals);
  store = await open();
  expect(await asked()).toEqual(before);
  await record(10, 7);
  expect((await asked())[0]).toMatchObject([{ requests: 89 }]);
  await store.close();
}

it('SQLite', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-totals-'));
  const file = join(folder, 'tollgate.db');
  await grows(
    () => openSqliteStore({ file }),
    async (statements) => {
      const database = new DatabaseSync(file);
      for (const statement of statements) database.exec(statement);
      database.close();
    },
  );
  rmSync(folder, { recursive: true, force: true });
});

it('PostgreSQL', async () => {
  const database = await freshDatabase();
  await grows(
    () => openPostgresStore({ url: database.url }),
    async (statements) => {
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      await client.query(statements.join(';'));
      await client.end();
    },
  );
  await database.drop();
});
