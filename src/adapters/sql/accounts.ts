import type { Kysely } from 'kysely';
import type { AccountRef } from '../../core/books.ts';
import type { AccountRecord, AccountRepository } from '../../core/store.ts';
import type { Database } from './engine.ts';
import { chunks } from './engine.ts';
import { accountsTable } from './tables.ts';

const idsMax = 1_000;

export async function readBalances(reader: Kysely<Database>, refs: readonly AccountRef[]): Promise<AccountRecord[]> {
  const wanted = new Set(refs.map((ref) => `${ref.key}\u0000${ref.windowStart}`));
  const found: AccountRecord[] = [];
  for (const part of chunks(refs, idsMax)) {
    const rows = await reader
      .selectFrom('accounts')
      .selectAll()
      .where('key', 'in', [...new Set(part.map((ref) => ref.key))])
      .where('window_start', 'in', [...new Set(part.map((ref) => ref.windowStart))])
      .execute();
    for (const row of rows) {
      const account = accountsTable.shape.fromSql(row);
      if (wanted.delete(`${account.key}\u0000${account.windowStart}`)) found.push(account);
    }
  }
  return found;
}

export class SqlAccounts implements AccountRepository {
  readonly #reader: Kysely<Database>;

  constructor(reader: Kysely<Database>) {
    this.#reader = reader;
  }

  balances(keys: readonly AccountRef[]): Promise<AccountRecord[]> {
    return readBalances(this.#reader, keys);
  }

  async ofScope(scope: string, ids: readonly string[]): Promise<AccountRecord[]> {
    const accounts: AccountRecord[] = [];
    for (const part of chunks(ids, idsMax)) {
      const latest = this.#reader
        .selectFrom('accounts')
        .select((build) => ['key', build.fn.max('window_start').as('window_start')])
        .where('scope', '=', scope)
        .where('id', 'in', part)
        .groupBy('key')
        .as('latest');
      const rows = await this.#reader
        .selectFrom('accounts')
        .innerJoin(latest, (join) =>
          join.onRef('latest.key', '=', 'accounts.key').onRef('latest.window_start', '=', 'accounts.window_start'),
        )
        .selectAll('accounts')
        .orderBy('accounts.key')
        .execute();
      for (const row of rows) accounts.push(accountsTable.shape.fromSql(row));
    }
    return accounts;
  }
}
