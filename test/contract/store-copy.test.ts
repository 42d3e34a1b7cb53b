import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { SqlBooks } from '../../src/adapters/sql/books.ts';
import { copiedTables, tablesNotCopied } from '../../src/adapters/sql/copied-tables.ts';
import { copyBetween } from '../../src/adapters/sql/open-store.ts';
import { openPostgresEngine } from '../../src/adapters/sql/postgres.ts';
import { openSqliteEngine } from '../../src/adapters/sql/sqlite.ts';
import { copyStore } from '../../src/adapters/sql/store-copy.ts';
import { Secret } from '../../src/core/secret.ts';
import { freshDatabase } from '../servers/index.ts';
import { account, entry, requestRecord } from './records.ts';

const folder = mkdtempSync(join(tmpdir(), 'tollgate-copy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = { replace: false, onProgress: () => {} };

it('knows every table and column there is', async () => {
  const engine = await openSqliteEngine({ file: join(folder, 'tables.db') });
  const found = await engine.reader.introspection.getTables();
  const columns = new Map(found.map(({ name, columns }) => [name, columns.map((column) => column.name).sort()]));
  for (const { name, columns: copied } of copiedTables)
    expect([name, [...copied].sort()]).toEqual([name, columns.get(name)]);
  const known = new Set([...copiedTables.map(({ name }) => name), ...tablesNotCopied]);
  expect([...columns.keys()].filter((name) => !known.has(name))).toEqual([]);
  await engine.close();
});

it('copies pages of rows over many months there and back, and keeps nothing when it fails', async () => {
  const database = await freshDatabase();
  const source = await openSqliteEngine({ file: join(folder, 'source.db') });
  const postgres = await openPostgresEngine({ url: database.url });
  const back = await openSqliteEngine({ file: join(folder, 'back.db') });
  try {
    const team = account('team', 't', { cap: 1_000_000 });
    const count = 1_200;
    const entries = Array.from({ length: count }, (_, index) => ({
      record: requestRecord(`r${index}`, {
        startedAt: Date.UTC(2024, index % 4, 1 + (index % 27)),
        cost: index,
        tags: index % 2 === 0 ? ['even'] : [],
        metadata: { index },
      }),
      accounts: [entry(team, index)],
    }));
    const books = new SqlBooks(source);
    for (let at = 0; at < count; at += 300) await books.apply({ processId: 'p', entries: entries.slice(at, at + 300) });

    const there = await copyStore(source, postgres, options);
    expect(there.rows).toMatchObject({ usage: count, usage_tags: count / 2, accounts: 1 });
    expect(there).toMatchObject({ spent: String((count * (count - 1)) / 2), cost: there.spent });
    await expect(copyStore(source, postgres, options)).rejects.toThrow(/not empty: it holds accounts, usage_hours/);
    const replaced = await copyStore(source, postgres, { ...options, replace: true });
    expect(replaced).toEqual(there);
    expect(await copyStore(postgres, back, options)).toEqual(there);
    const rows = (engine: typeof source) =>
      engine.reader.selectFrom('usage').selectAll().orderBy('started_at').orderBy('id').execute();
    expect(await rows(back)).toEqual(await rows(source));

    const failing = {
      ...options,
      replace: true,
      onProgress: (table: string) => {
        if (table === 'usage') throw new Error('stop');
      },
    };
    await source.writer.deleteFrom('accounts').execute();
    await expect(copyStore(source, postgres, failing)).rejects.toThrow('stop');
    expect(await new SqlBooks(postgres).balances([team])).toHaveLength(1);
  } finally {
    await Promise.all([source, postgres, back].map((engine) => engine.close()));
    await database.drop();
  }
});

it('refuses a source that is not there, and a target that is the source', async () => {
  const copy = (from: string, to: string) => copyBetween(new Secret(from), new Secret(to), options);
  const [file, other] = [join(folder, 'source.db'), join(folder, 'other.db')];
  await expect(copy(other, file)).rejects.toThrow(`There is no database at ${other}`);
  await expect(copy(file, file)).rejects.toThrow(/same database/);
  await expect(copy('postgresql://a:b@h/x', 'postgres://c:d@h:5432/x')).rejects.toThrow(/same database: h:5432\/x/);
});
