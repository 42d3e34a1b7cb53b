import { Kysely } from 'kysely';
import type { Books } from '../../core/books.ts';
import { WrittenEntries } from '../../core/written-batch.ts';
import { SqlBooks } from './books.ts';
import type { Database } from './engine.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { sqliteEngine } from './sqlite-engine.ts';
import type { SqliteBookCall } from './sqlite-protocol.ts';

/** The books in the thread of the connection: a call's many statements cost no hops between threads. */
export function booksOver(
  connection: SqliteConnection,
): (method: string, given: SqliteBookCall['given']) => Promise<unknown> {
  const database = new Kysely<Database>({ dialect: sqliteDialect(connection) });
  const close = async () => connection.close();
  const books = new SqlBooks(sqliteEngine(database, database, close));
  return (method, given) => {
    if (typeof given !== 'string') return books.apply({ ...given, entries: new WrittenEntries(given.written) });
    const call = books[method as keyof Books] as (...words: unknown[]) => Promise<unknown>;
    return call.apply(books, JSON.parse(given) as unknown[]);
  };
}
