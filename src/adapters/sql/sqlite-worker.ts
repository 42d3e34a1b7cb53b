import { parentPort, workerData } from 'node:worker_threads';
import { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteBookCall, SqliteFailure, SqliteOpening, SqliteQuestion } from './sqlite-protocol.ts';

/*
 * The thread that owns one SQLite connection, so that no query ever blocks the event loop of the gateway. Its questions
 * come one at a time per user of the connection: whoever holds a transaction open is the only one to ask.
 */

const port = parentPort!;
const opening = workerData as SqliteOpening;
let connection: SqliteConnection | undefined;
let callBooks: ((method: string, given: SqliteBookCall['given']) => Promise<unknown>) | undefined;

function failure(id: number, cause: unknown): SqliteFailure {
  const error = cause as { message?: string; errcode?: number };
  return { id, failed: true, message: error.message ?? String(cause), errcode: error.errcode ?? null };
}

async function answer(question: SqliteQuestion): Promise<void> {
  const { id } = question;
  try {
    if (connection === undefined) throw new Error('the database is closed');
    if ('sql' in question) {
      port.postMessage({ id, ...connection.run(question.sql, question.parameters) });
      return;
    }
    if (callBooks === undefined) {
      const { booksOver } = await import('./sqlite-books-here.ts');
      callBooks = booksOver(connection);
    }
    port.postMessage({ id, result: await callBooks(question.method, question.given) });
  } catch (cause) {
    port.postMessage(failure(id, cause));
  }
}

function close(): void {
  try {
    connection?.close();
  } finally {
    connection = undefined;
    port.close();
  }
}

port.on('message', (question: SqliteQuestion | 'close') => {
  if (question === 'close') close();
  else void answer(question);
});

try {
  connection = new SqliteConnection(opening);
  port.postMessage({ id: 0, rows: [], changes: 0 });
} catch (cause) {
  port.postMessage(failure(0, cause));
}
