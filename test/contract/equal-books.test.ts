import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPostgresStore } from '../../src/adapters/sql/postgres.ts';
import { openSqliteStore } from '../../src/adapters/sql/sqlite.ts';
import type { SqlStore } from '../../src/adapters/sql/store.ts';
import type { Books } from '../../src/core/books.ts';
import { freshDatabase, type TestDatabase } from '../servers/index.ts';
import { ModelBooks } from '../simulation/model-books.ts';
import { account, entry, requestRecord } from './records.ts';

/* The simulation trusts the model to behave as the real books do: the same calls must get the same answers. */

const folder = mkdtempSync(join(tmpdir(), 'tollgate-equal-'));
let database: TestDatabase;
let sqlite: SqlStore;
let postgres: SqlStore;

beforeAll(async () => {
  database = await freshDatabase();
  sqlite = await openSqliteStore({ file: join(folder, 'tollgate.db') });
  postgres = await openPostgresStore({ url: database.url });
});
afterAll(async () => {
  await sqlite.close();
  await postgres.close();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

const step = fc.record({
  kind: fc.constantFrom('acquire', 'acquire', 'apply', 'apply', 'giveBack', 'renew', 'release', 'expire', 'repeat'),
  who: fc.integer({ min: 0, max: 2 }),
  on: fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 4 }),
  amount: fc.integer({ min: 0, max: 60 }),
  more: fc.integer({ min: 0, max: 60 }),
  cap: fc.constantFrom(40, 100, 150),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Ids and accounts of one run are its own, so that all runs share the databases. */
async function play(books: Books, run: number, script: readonly Step[]): Promise<unknown[]> {
  const answers: unknown[] = [];
  let again: () => Promise<unknown> = async () => null;
  for (const [turn, { kind, who, on, amount, more, cap }] of script.entries()) {
    const processId = `r${run}p${who}`;
    const now = 1_000 * (run * 1_000 + turn * 10);
    const token = `t${turn}`;
    const specs = on.map((index) => account('team', `r${run}a${index}`, { cap, windowStart: index % 2 }));
    const call = (): Promise<unknown> => {
      switch (kind) {
        case 'acquire': {
          const wants = specs.map((spec) => ({ ...spec, cap, need: amount, want: amount + more, headroomDivisor: 2 }));
          return books.acquireLease({ processId, token, wants, now, expiresAt: now + 30_000 });
        }
        case 'apply': {
          const record = requestRecord(`r${run}.${turn}`, { cost: amount });
          const entries = [{ record, accounts: specs.map((spec) => entry(spec, amount, Math.min(amount, more))) }];
          return books.apply({ processId, entries, checkpoint: { segment: turn, offset: more } });
        }
        case 'giveBack':
          return books.returnLease(
            processId,
            token,
            specs.map((spec) => ({ key: spec.key, windowStart: spec.windowStart, amount })),
            now,
          );
        case 'renew':
          return books.renewLeases(processId, now + 30_000, now);
        case 'release':
          return books.releaseProcess(processId);
        case 'expire':
          // Others in the same database are earlier runs.
          return books.expireLeases(now).then((off) => off.filter((lease) => lease.processId.startsWith(`r${run}p`)));
        default:
          return again();
      }
    };
    answers.push([kind, comparable(await call())]);
    if (kind !== 'repeat') again = call;
  }
  const all = [0, 1, 2, 3].map((index) => account('team', `r${run}a${index}`, { windowStart: index % 2 }));
  answers.push(comparable(await books.balances(all)));
  for (const who of [0, 1, 2]) {
    answers.push(comparable((await books.leases(`r${run}p${who}`)).filter(({ amount }) => amount > 0)));
    answers.push(await books.checkpoint(`r${run}p${who}`));
  }
  return answers;
}

/** Lists of accounts and leases in one order; leases of nothing may or may not be remembered. */
function comparable(answer: unknown): unknown {
  if (Array.isArray(answer)) {
    const rows = answer
      .filter((row) => (row as { amount?: number }).amount !== 0)
      .map((row) => JSON.stringify(row, order));
    return answer.every((row) => typeof row === 'number') ? answer : rows.sort();
  }
  if (answer !== null && typeof answer === 'object' && 'accounts' in answer) {
    return { ...answer, accounts: comparable(answer.accounts) };
  }
  return answer ?? null;
}

function order(_: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

it('SQLite, PostgreSQL and the model answer every call alike', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), async (script) => {
      run += 1;
      const model = await play(new ModelBooks(), run, script);
      expect(await play(sqlite.books, run, script)).toEqual(model);
      expect(await play(postgres.books, run, script)).toEqual(model);
    }),
    { numRuns: 20 },
  );
});
