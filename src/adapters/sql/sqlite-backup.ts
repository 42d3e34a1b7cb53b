import { closeSync, existsSync, fsyncSync, openSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../core/store.ts';

const busyTimeoutMs = 30_000;

/**
 * Writes one state of an embedded database to a new file, while gateways go on writing to it. The copy is whole and on the disk
 * when this returns its size. Throws StoreError.
 */
export function backUpSqlite(file: string, to: string): number {
  if (!existsSync(file)) throw new StoreError('not_writable', `There is no database at ${file}.`);
  if (existsSync(to)) throw new StoreError('locked', `${to} exists. Name a new file: a backup replaces nothing.`);
  let isWhole = false;
  try {
    // It holds hashes of keys and who asked what.
    closeSync(openSync(to, 'wx', 0o600));
    const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
    try {
      database.prepare('vacuum into ?').run(to);
    } finally {
      database.close();
    }
    const written = openSync(to, 'r+');
    fsyncSync(written);
    closeSync(written);
    isWhole = true;
    return statSync(to).size;
  } catch (cause) {
    throw new StoreError('not_writable', `The backup to ${to} failed: ${(cause as Error).message}.`, cause);
  } finally {
    if (!isWhole) rmSync(to, { force: true });
  }
}

/** What SQLite itself finds wrong with a file, after reading all of it; empty = nothing. */
export function damageIn(file: string): string[] {
  try {
    const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
    try {
      const found = database.prepare('pragma integrity_check(20)').all() as { integrity_check: string }[];
      return found.map(({ integrity_check: text }) => text).filter((text) => text !== 'ok');
    } finally {
      database.close();
    }
  } catch (cause) {
    return [(cause as Error).message];
  }
}
