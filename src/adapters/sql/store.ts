import { sql } from 'kysely';
import type { Books, Recalls } from '../../core/books.ts';
import type { Repositories, Store } from '../../core/store.ts';
import { SqlAccounts } from './accounts.ts';
import { SqlAlerts } from './alerts.ts';
import type { SqlEngine } from './engine.ts';
import { SqlIdempotency } from './idempotency.ts';
import { SqlObjects } from './objects.ts';
import { SqlReplicas } from './replicas.ts';
import { sqlRepositories } from './repository.ts';
import { SqlUsage } from './usage.ts';

/** A store together with the books that the ledger keeps in it. */
export interface SqlStore extends Store {
  readonly books: Books;
  /** How processes over this store ask each other for unused leases; null where it has no such way. */
  readonly recalls: Recalls | null;
  /** Asks the database server for its time, unix milliseconds; null where the store is on this machine and has the same. */
  readonly time: (() => Promise<number>) | null;
}

export function storeOver(
  engine: SqlEngine,
  books: Books,
  recalls: Recalls | null = null,
  time: SqlStore['time'] = null,
): SqlStore {
  return {
    ...sqlRepositories(engine.reader, engine.writer),
    usage: new SqlUsage(engine),
    accounts: new SqlAccounts(engine.reader),
    replicas: new SqlReplicas(engine),
    idempotency: new SqlIdempotency(engine),
    alerts: new SqlAlerts(engine),
    objects: new SqlObjects(engine),
    books,
    recalls,
    time,
    transaction: <Result>(work: (repositories: Repositories) => Promise<Result>) =>
      engine.transaction((transaction) => work(sqlRepositories(transaction, transaction, engine.locksRows))),
    ping: async () => {
      await Promise.all([sql`select 1`.execute(engine.reader), sql`select 1`.execute(engine.writer)]);
    },
    close: async () => {
      await recalls?.close();
      await engine.close();
    },
  };
}
