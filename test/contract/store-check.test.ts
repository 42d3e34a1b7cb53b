import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, describe, expect, it } from 'vitest';
import { SqlBooks } from '../../src/adapters/sql/books.ts';
import type { SqlEngine } from '../../src/adapters/sql/engine.ts';
import { checkDatabase } from '../../src/adapters/sql/open-store.ts';
import { openPostgresEngine } from '../../src/adapters/sql/postgres.ts';
import { openSqliteEngine } from '../../src/adapters/sql/sqlite.ts';
import { backUpSqlite } from '../../src/adapters/sql/sqlite-backup.ts';
import { foldHours } from '../../src/adapters/sql/usage-fold.ts';
import { Secret } from '../../src/core/secret.ts';
import { freshDatabase } from '../servers/index.ts';
import { account, entry, requestRecord } from './records.ts';

const folder = mkdtempSync(join(tmpdir(), 'tollgate-check-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const now = Date.UTC(2026, 3, 3);

async function fill(engine: SqlEngine): Promise<void> {
  const books = new SqlBooks(engine);
  const key = account('key', 'k', { cap: 1_000_000 });
  await books.acquireLease({
    processId: 'p',
    token: 't',
    wants: [{ ...key, cap: 1_000_000, need: 5_000, want: 5_000, headroomDivisor: 2 }],
    expiresAt: now + 60_000,
    now,
  });
  const entries = Array.from({ length: 40 }, (_, index) => ({
    record: requestRecord(`r${index}`, { keyId: 'k', startedAt: now + (index % 3) * 86_400_000, cost: 100 + index }),
    accounts: [entry(key, 100 + index, 50)],
  }));
  await books.apply({ processId: 'p', entries });
}

/** Each is found, and each alone. */
const damages: readonly [name: string, statement: string, found: RegExp][] = [
  ['a balance that lost what is held', 'update accounts set leased = leased - 7', /held, its leases come to/],
  ['a row that is gone', "delete from usage where id = 'r1'", /requests of 2026-04-04 come to 12 by the rows, to 13/],
  ['a cost that was changed', "update usage set cost = cost + 1 where id = 'r2'", /the cost of 2026-04-05 come/],
  ['a balance without requests', 'update accounts set spent = spent + 100000', /has spent .*, its requests/],
  ['a sum of owners that was changed', 'update usage_owner_weeks set cost = cost + 1', /in usage_owner_weeks to/],
  ['a lease without an account', "update leases set key = 'nobody'", /which has no account/],
];

describe.each(['SQLite', 'PostgreSQL'] as const)('the check of the books: %s', (kind) => {
  it('finds nothing in books that balance, and what is wrong in others', async () => {
    const database = kind === 'PostgreSQL' ? await freshDatabase() : null;
    const file = join(folder, 'checked.db');
    const engine =
      database === null ? await openSqliteEngine({ file }) : await openPostgresEngine({ url: database.url });
    const address = new Secret(database?.url ?? file);
    try {
      await fill(engine);
      // Of three days, two are moved out of their hours.
      expect(await foldHours(engine, 0, now + 1.5 * 86_400_000)).toBe(2);
      const report = await checkDatabase(address);
      expect(report.differences).toEqual([]);
      expect(report).toMatchObject({ requests: 40, accounts: 1, cost: 40 * 100 + (40 * 39) / 2, held: 5_000 - 2_000 });
      for (const [name, statement, found] of damages) {
        const failed = await engine.writer
          .transaction()
          .execute(async (transaction) => {
            await sql.raw(statement).execute(transaction);
            const { checkBooks } = await import('../../src/adapters/sql/store-check.ts');
            throw Object.assign(new Error('undone'), { report: await checkBooks(transaction) });
          })
          .catch((cause: Error & { report?: { differences: string[] } }) => {
            if (cause.report === undefined) throw cause;
            return cause.report.differences;
          });
        expect(failed.join('\n'), name).toMatch(found);
      }
    } finally {
      await engine.close();
      await database?.drop();
    }
  });
});

it('a backup of the embedded database holds one state of it while it is written, and replaces nothing', async () => {
  const file = join(folder, 'live.db');
  const engine = await openSqliteEngine({ file });
  const books = new SqlBooks(engine);
  await fill(engine);
  let isOver = false;
  let written = 0;
  const key = account('key', 'k', { cap: 1_000_000 });
  const writing = (async () => {
    for (; !isOver; written++) {
      const record = requestRecord(`w${written}`, { keyId: 'k', startedAt: now, cost: 3 });
      await books.apply({ processId: 'q', entries: [{ record, accounts: [entry(key, 3)] }] });
    }
  })();
  const to = join(folder, 'backup.db');
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(backUpSqlite(file, to)).toBe(statSync(to).size);
  isOver = true;
  await writing;
  expect(statSync(to).mode & 0o777).toBe(0o600);
  const report = await checkDatabase(new Secret(to));
  expect(report.differences).toEqual([]);
  expect(report.requests).toBeGreaterThanOrEqual(40);
  expect(report.requests).toBeLessThanOrEqual(40 + written);
  expect(() => backUpSqlite(file, to)).toThrow(/exists/);
  expect(() => backUpSqlite(join(folder, 'none.db'), join(folder, 'new.db'))).toThrow(/no database/);
  await engine.close();
});
