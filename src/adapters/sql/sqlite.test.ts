import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConflictError, StoreError } from '../../core/store.ts';
import { openSqliteStore } from './sqlite.ts';
import { sqliteError } from './sqlite-error.ts';

const tracked = { createdAt: 1, updatedAt: 1, createdBy: null, updatedBy: null, extra: {} };

describe('opening the embedded store', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tollgate-sqlite-'));
    file = join(folder, 'data', 'tollgate.db');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const fault = async () => {
    const error = await openSqliteStore({ file }).then(
      () => null,
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(StoreError);
    return error as StoreError;
  };

  it('makes folder and file for nobody else to read, and finds everything again', async () => {
    const store = await openSqliteStore({ file });
    await store.settings.insert({ ...tracked, id: 'a', value: { b: 1 } });
    expect(statSync(file).mode & 0o077).toBe(0);
    expect(statSync(`${file}-wal`).mode & 0o077).toBe(0);
    await store.close();
    const again = await openSqliteStore({ file });
    expect(await again.settings.get('a')).toMatchObject({ value: { b: 1 } });
    await again.close();
  });

  it('writes with WAL and full synchronisation', async () => {
    const store = await openSqliteStore({ file });
    const other = new DatabaseSync(file);
    expect(other.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' });
    other.close();
    await store.close();
  });

  it('says that a file is not a database', async () => {
    mkdirSync(join(folder, 'data'));
    writeFileSync(file, 'this is a text file, and a rather long one at that.'.repeat(100));
    const error = await fault();
    expect(error.fault).toBe('corrupt');
    expect(error.message).toMatch(/damaged or not a database.*Restore it from a backup/);
  });

  it('says that a database is damaged', async () => {
    const store = await openSqliteStore({ file });
    await store.settings.insert({ ...tracked, id: 'a', value: {} });
    await store.close();
    truncateSync(file, statSync(file).size - 8_192);
    expect((await fault()).fault).toBe('corrupt');
  });

  it('says that the folder cannot be written', async () => {
    writeFileSync(join(folder, 'data'), '');
    const error = await fault();
    expect(error.fault).toBe('not_writable');
    expect(error.message).toMatch(/write permission on the folder/);
  });

  it('refuses a database of a newer release and leaves it as it is', async () => {
    await (await openSqliteStore({ file })).close();
    const other = new DatabaseSync(file);
    other.exec('insert into schema_migrations (version, applied_at) values (999, 0)');
    other.close();
    const error = await fault();
    expect(error.fault).toBe('newer_schema');
    expect(error.message).toMatch(/schema 999/);
  });

  it('is opened by several programs at the same moment', async () => {
    const stores = await Promise.all(Array.from({ length: 3 }, () => openSqliteStore({ file })));
    await Promise.all(stores.map((store, index) => store.settings.insert({ ...tracked, id: `s${index}`, value: {} })));
    expect(await stores[0]!.settings.count()).toBe(3);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('survives a copy taken together with its log', async () => {
    const store = await openSqliteStore({ file });
    await store.settings.insert({ ...tracked, id: 'a', value: {} });
    const copy = join(folder, 'copy.db');
    copyFileSync(file, copy);
    copyFileSync(`${file}-wal`, `${copy}-wal`);
    await store.close();
    const opened = await openSqliteStore({ file: copy });
    expect(await opened.settings.get('a')).toBeDefined();
    await opened.close();
  });

  it('does not keep a program alive that has nothing else to do', async () => {
    const module = fileURLToPath(new URL('./sqlite.ts', import.meta.url));
    const program = `import { openSqliteStore } from ${JSON.stringify(module)};
      const store = await openSqliteStore({ file: ${JSON.stringify(file)} });
      await store.ping();
      console.log('end');`;
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 20_000 });
    expect(await run).toEqual({ stdout: 'end\n', stderr: '' });
  });
});

describe('what SQLite says, told to the operator', () => {
  it.each([
    [8, 'not_writable', /write permission/],
    [14, 'not_writable', /write permission/],
    [13, 'full', /Free space/],
    [10 | (3 << 8), 'full', /Free space/],
    [5, 'locked', /one gateway per database file/],
    [11, 'corrupt', /backup/],
    [26, 'corrupt', /backup/],
    [1, 'unavailable', /refused a statement/],
    [null, 'unavailable', /refused a statement/],
  ])('code %s is the fault %s', (errcode, fault, message) => {
    const error = sqliteError({ id: 1, failed: true, message: 'text', errcode }, 'a.db');
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ fault });
    expect(error.message).toMatch(message);
  });

  it('names the column that is taken', () => {
    const error = sqliteError(
      { id: 1, failed: true, message: 'UNIQUE constraint failed: keys.alias', errcode: 2067 },
      '',
    );
    expect(error).toBeInstanceOf(ConflictError);
    expect(error).toMatchObject({ column: 'alias' });
  });
});
