import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll } from 'vitest';
import { DiskJournalFolder } from '../../src/adapters/journal-folder.ts';
import { openSqliteStore } from '../../src/adapters/sql/sqlite.ts';
import type { SqlStore } from '../../src/adapters/sql/store.ts';
import { MemoryDisk, MemoryJournalFolder } from '../simulation/memory-journals.ts';
import { ModelBooks } from '../simulation/model-books.ts';
import { ledgerContract } from './ledger.ts';

ledgerContract('books and journals in memory', async () => {
  const books = new ModelBooks();
  const disk = new MemoryDisk();
  return {
    books,
    record: async (id) => books.records.get(id),
    folder: () => new MemoryJournalFolder(disk),
    kill: (folder) => (folder as MemoryJournalFolder).die(),
    close: async () => {},
  };
});

const root = mkdtempSync(join(tmpdir(), 'tollgate-ledger-'));
const file = join(root, 'tollgate.db');
let shared: SqlStore | undefined;
let grounds = 0;

afterAll(async () => {
  await shared?.close();
  rmSync(root, { recursive: true, force: true });
});

ledgerContract('SQLite and journals on disk', async () => {
  shared ??= await openSqliteStore({ file });
  const store = shared;
  const beside = new DatabaseSync(file, { timeout: 5_000 });
  for (const table of ['usage', 'accounts', 'leases']) beside.exec(`delete from "${table}"`);
  beside.close();
  grounds += 1;
  const journals = join(root, `journal-${grounds}`);
  return {
    books: store.books,
    record: (id) => store.usage.get(id),
    folder: () => new DiskJournalFolder(journals),
    kill: (folder) => {
      for (const owner of folder.owners()) folder.release(owner);
    },
    close: async () => {},
  };
});
