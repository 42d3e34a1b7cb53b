import { Kysely } from 'kysely';
import type { Books } from '../../core/books.ts';
import { unpackBatch } from './batch-packing.ts';
import { SqlBooks } from './books.ts';
import type { Database } from './engine.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { SqliteDialect } from './sqlite-dialect.ts';
import { sqliteEngine } from './sqlite-engine.ts';

/** The books in the thread of the connection: a call's many statements cost no hops between threads. */
export function booksOver(connection: SqliteConnection): (method: string, args: readonly string[]) => Promise<unknown> {
  const database = new Kysely<Database>({ dialect: new SqliteDialect(connection) });
  const close = async () => connection.close();
  const books = new SqlBooks(sqliteEngine(database, database, close));
  return (method, args) => {
    if (method === 'apply') return books.apply(unpackBatch(args));
    const given = JSON.parse(args[0]!) as unknown[];
    const call = books[method as keyof Books] as (...given: unknown[]) => Promise<unknown>;
    return call.apply(books, given);
  };
}
