import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { DatabaseSync } from 'node:sqlite';
import type { SqliteOpening, SqliteResult, SqliteRunner } from './sqlite-protocol.ts';

const statementsMax = 500;
/** Checking every page of a larger file would make starting slow; damage there shows when a page is read. */
const checkedBytesMax = 32 * 1024 * 1024;
/** Pages that are written again and again are copied from the log once per so many pages (16 MiB). */
const logPagesMax = 4_000;
const corruptCode = 11;

/** One SQLite connection in this thread, with its statements prepared once. */
export class SqliteConnection implements SqliteRunner {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, { statement: StatementSync; returnsRows: boolean }>();

  constructor({ file, readOnly, busyTimeoutMs }: SqliteOpening) {
    this.#database = new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
    this.#database.exec('pragma temp_store = memory');
    // KiB. What a report reads it reads once; the operating system keeps the file's pages anyway.
    if (readOnly) this.#database.exec('pragma query_only = on; pragma cache_size = -2048');
    else this.#prepareToWrite();
  }

  #prepareToWrite(): void {
    this.#database.exec(
      `pragma cache_size = -4096; pragma journal_mode = wal; pragma synchronous = full; pragma wal_autocheckpoint = ${logPagesMax}`,
    );
    const { page_count: count } = this.#database.prepare('pragma page_count').get() as { page_count: number };
    const { page_size: size } = this.#database.prepare('pragma page_size').get() as { page_size: number };
    if (count * size > checkedBytesMax) return;
    const { quick_check: found } = this.#database.prepare('pragma quick_check(1)').get() as { quick_check: string };
    if (found !== 'ok') throw Object.assign(new Error(found), { errcode: corruptCode });
  }

  run(sql: string, parameters: readonly unknown[]): SqliteResult {
    // A statement that failed for want of space may have ended the transaction by itself.
    if (sql === 'rollback' && !this.#database.isTransaction) return { rows: [], changes: 0 };
    const { statement, returnsRows } = this.#prepared(sql);
    if (returnsRows) {
      const rows = statement.all(...(parameters as SQLInputValue[]));
      return { rows, changes: rows.length };
    }
    return { rows: [], changes: Number(statement.run(...(parameters as SQLInputValue[])).changes) };
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepared(sql: string): { statement: StatementSync; returnsRows: boolean } {
    let entry = this.#statements.get(sql);
    if (entry === undefined) {
      const statement = this.#database.prepare(sql);
      entry = { statement, returnsRows: statement.columns().length > 0 };
      if (this.#statements.size >= statementsMax) this.#statements.delete(this.#statements.keys().next().value!);
      this.#statements.set(sql, entry);
    }
    return entry;
  }
}
