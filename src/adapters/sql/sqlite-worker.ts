import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { SqliteAnswer, SqliteFailure, SqliteOpening, SqliteQuestion } from './sqlite-protocol.ts';

/*
 * The thread that owns one SQLite connection, so that no query ever blocks the event loop of the gateway.
 * It answers questions one by one in the order they come.
 */

const statementsMax = 500;
/** Checking every page of a larger file would make starting slow; damage there shows when a page is read. */
const checkedBytesMax = 32 * 1024 * 1024;

const port = parentPort!;
const opening = workerData as SqliteOpening;
const statements = new Map<string, { statement: StatementSync; returnsRows: boolean }>();
let database: DatabaseSync | undefined;

function open(): DatabaseSync {
  const opened = new DatabaseSync(opening.file, { timeout: opening.busyTimeoutMs, enableForeignKeyConstraints: true });
  if (opening.readOnly) {
    opened.exec('pragma query_only = on');
  } else {
    opened.exec('pragma journal_mode = wal; pragma synchronous = full');
    const pages = opened.prepare('pragma page_count').get() as { page_count: number };
    const size = opened.prepare('pragma page_size').get() as { page_size: number };
    if (pages.page_count * size.page_size <= checkedBytesMax) {
      const check = opened.prepare('pragma quick_check(1)').get() as { quick_check: string };
      if (check.quick_check !== 'ok') throw Object.assign(new Error(check.quick_check), { errcode: 11 });
    }
  }
  opened.exec('pragma temp_store = memory; pragma cache_size = -8192');
  return opened;
}

function prepared(connection: DatabaseSync, sql: string): { statement: StatementSync; returnsRows: boolean } {
  let entry = statements.get(sql);
  if (entry === undefined) {
    const statement = connection.prepare(sql);
    entry = { statement, returnsRows: statement.columns().length > 0 };
    if (statements.size >= statementsMax) statements.delete(statements.keys().next().value!);
    statements.set(sql, entry);
  }
  return entry;
}

function answer(question: SqliteQuestion): SqliteAnswer {
  if (database === undefined) throw new Error('the database is closed');
  // A statement that failed for want of space may have ended the transaction by itself.
  if (question.sql === 'rollback' && !database.isTransaction) return { id: question.id, rows: [], changes: 0 };
  const { statement, returnsRows } = prepared(database, question.sql);
  const parameters = question.parameters as SQLInputValue[];
  if (returnsRows) {
    const rows = statement.all(...parameters);
    return { id: question.id, rows, changes: rows.length };
  }
  return { id: question.id, rows: [], changes: Number(statement.run(...parameters).changes) };
}

function failure(id: number, cause: unknown): SqliteFailure {
  const error = cause as { message?: string; errcode?: number; code?: string };
  return { id, failed: true, message: error.message ?? String(cause), errcode: error.errcode ?? null };
}

try {
  database = open();
  port.postMessage({ id: 0, rows: [], changes: 0 });
} catch (cause) {
  port.postMessage(failure(0, cause));
}

port.on('message', (question: SqliteQuestion | 'close') => {
  if (question === 'close') {
    statements.clear();
    try {
      database?.close();
    } finally {
      database = undefined;
      port.close();
    }
    return;
  }
  try {
    port.postMessage(answer(question));
  } catch (cause) {
    port.postMessage(failure(question.id, cause));
  }
});
