import type { Transaction } from 'kysely';
import { CompiledQuery } from 'kysely';
import type { AccountRef, AccountSpec, LeaseRecord } from '../../core/books.ts';
import type { AccountRecord } from '../../core/store.ts';
import { BulkInsert } from './bulk-insert.ts';
import type { SqlRow } from './columns.ts';
import { wholeNumber } from './columns.ts';
import type { Database, SqlEngine } from './engine.ts';
import { chunks } from './engine.ts';
import { StatementTexts } from './statement-texts.ts';
import { accountsTable } from './tables.ts';

/*
 * Reading and writing the rows of accounts and leases inside a transaction. Every call of the books first takes its
 * accounts, in key order, and by that the right to change their leases; then it computes; then it writes whole rows.
 */

export type BooksTransaction = Transaction<Database>;

/** Accounts asked for in one statement. */
const refsMax = 500;

export interface MutableAccount extends AccountRef {
  readonly scope: string;
  readonly id: string;
  readonly model: string;
  readonly duration: string;
  cap: number | null;
  spent: number;
  leased: number;
}

export interface MutableLease extends AccountRef {
  readonly processId: string;
  amount: number;
  expiresAt: number;
  writtenOff: boolean;
}

export function refText(ref: AccountRef): string {
  return `${ref.key}\u0000${ref.windowStart}`;
}

const accountColumns = accountsTable.shape.columns.map(({ name }) => name);

const accountOpening = new BulkInsert(
  'accounts',
  accountColumns,
  (insert) =>
    insert
      .onConflict((conflict) =>
        conflict.columns(['key', 'window_start']).doUpdateSet((build) => ({ cap: build.ref('excluded.cap') })),
      )
      .returningAll() as typeof insert,
);

const accountWriting = new BulkInsert('accounts', accountColumns, (insert) =>
  insert.onConflict((conflict) =>
    conflict.columns(['key', 'window_start']).doUpdateSet((build) => ({
      spent: build.ref('excluded.spent'),
      leased: build.ref('excluded.leased'),
    })),
  ),
);

const leaseColumns = ['process_id', 'key', 'window_start', 'amount', 'expires_at', 'written_off'] as const;

const leaseWriting = new BulkInsert('leases', leaseColumns, (insert) =>
  insert.onConflict((conflict) =>
    conflict.columns(['process_id', 'key', 'window_start']).doUpdateSet((build) => ({
      amount: build.ref('excluded.amount'),
      expires_at: build.ref('excluded.expires_at'),
      written_off: build.ref('excluded.written_off'),
    })),
  ),
);

function sorted<Ref extends AccountRef>(refs: Iterable<Ref>): Ref[] {
  return [...refs].sort((one, other) =>
    one.key === other.key ? one.windowStart - other.windowStart : one.key < other.key ? -1 : 1,
  );
}

/** Takes these accounts for the rest of the transaction, opens those that are new and notes their caps. */
export async function openAccounts(
  transaction: BooksTransaction,
  specs: Iterable<AccountSpec>,
): Promise<Map<string, MutableAccount>> {
  const rows = sorted(specs).map((spec) => [
    spec.key,
    spec.windowStart,
    spec.scope,
    spec.id,
    spec.model,
    spec.duration,
    spec.cap,
    0,
    0,
  ]);
  return accountsByRef(await accountOpening.run(transaction, rows));
}

/** Takes these accounts for the rest of the transaction; absent ones are left out. */
export async function takeAccounts(
  transaction: BooksTransaction,
  engine: SqlEngine,
  refs: readonly AccountRef[],
): Promise<Map<string, MutableAccount>> {
  const found: SqlRow[] = [];
  for (const part of chunks(sorted(refs), refsMax)) {
    let select = transaction
      .selectFrom('accounts')
      .selectAll()
      .where('key', 'in', [...new Set(part.map((ref) => ref.key))])
      .where('window_start', 'in', [...new Set(part.map((ref) => ref.windowStart))])
      .orderBy('key')
      .orderBy('window_start');
    if (engine.locksRows) select = select.forUpdate();
    found.push(...(await select.execute()));
  }
  return accountsByRef(found);
}

function accountsByRef(rows: readonly SqlRow[]): Map<string, MutableAccount> {
  const accounts = new Map<string, MutableAccount>();
  for (const row of rows) {
    const account: AccountRecord = accountsTable.shape.fromSql(row);
    accounts.set(refText(account), account);
  }
  return accounts;
}

export async function writeAccounts(transaction: BooksTransaction, accounts: Iterable<MutableAccount>): Promise<void> {
  const rows = sorted(accounts).map((account) => [
    account.key,
    account.windowStart,
    account.scope,
    account.id,
    account.model,
    account.duration,
    account.cap,
    wholeNumber(account.spent),
    wholeNumber(account.leased),
  ]);
  await accountWriting.run(transaction, rows);
}

function leaseOf(row: SqlRow): MutableLease {
  return {
    processId: row.process_id as string,
    key: row.key as string,
    windowStart: wholeNumber(row.window_start),
    amount: wholeNumber(row.amount),
    expiresAt: wholeNumber(row.expires_at),
    writtenOff: wholeNumber(row.written_off) === 1,
  };
}

const leasesTexts = new StatementTexts();

/** The leases of one process on these accounts, taken for the rest of the transaction. */
export async function leasesOn(
  transaction: BooksTransaction,
  engine: SqlEngine,
  processId: string,
  refs: readonly AccountRef[],
): Promise<Map<string, MutableLease>> {
  const leases = new Map<string, MutableLease>();
  const wanted = new Set(refs.map(refText));
  for (const part of chunks([...new Set(refs.map((ref) => ref.key))], refsMax)) {
    const text = leasesTexts.of(transaction, part.length, () => {
      const select = transaction.selectFrom('leases').selectAll().where('process_id', '=', '').where('key', 'in', part);
      const ordered = select.orderBy('key').orderBy('window_start');
      return (engine.locksRows ? ordered.forUpdate() : select).compile().sql;
    });
    const result = await transaction.executeQuery<SqlRow>(CompiledQuery.raw(text, [processId, ...part]));
    for (const row of result.rows) {
      const lease = leaseOf(row);
      // The keys also find other windows of the same account.
      if (wanted.has(refText(lease))) leases.set(refText(lease), lease);
    }
  }
  return leases;
}

export async function leasesOfProcess(transaction: BooksTransaction | SqlEngine['reader'], processId: string) {
  const rows = await transaction
    .selectFrom('leases')
    .selectAll()
    .where('process_id', '=', processId)
    .orderBy('key')
    .orderBy('window_start')
    .execute();
  return rows.map(leaseOf);
}

/** A heartbeat touches leases without taking their accounts; this makes it wait, and be waited for. */
export async function takeLeasesOfProcess(
  transaction: BooksTransaction,
  engine: SqlEngine,
  processId: string,
): Promise<void> {
  if (!engine.locksRows) return;
  await transaction
    .selectFrom('leases')
    .select('key')
    .where('process_id', '=', processId)
    .orderBy('key')
    .orderBy('window_start')
    .forUpdate()
    .execute();
}

/** With `taker`, they are taken for the rest of the transaction. */
export async function leasesEndedBefore(
  transaction: BooksTransaction,
  time: number,
  taker?: SqlEngine,
): Promise<MutableLease[]> {
  let select = transaction
    .selectFrom('leases')
    .selectAll()
    .where('expires_at', '<', time)
    .where('written_off', '=', 0)
    .where('amount', '>', 0)
    .orderBy('key')
    .orderBy('window_start');
  if (taker?.locksRows) select = select.forUpdate();
  return (await select.execute()).map(leaseOf);
}

export async function writeLeases(
  transaction: BooksTransaction,
  leases: Iterable<MutableLease | LeaseRecord>,
): Promise<void> {
  const rows = sorted(leases).map((lease) => [
    lease.processId,
    lease.key,
    lease.windowStart,
    wholeNumber(lease.amount),
    lease.expiresAt,
    lease.writtenOff ? 1 : 0,
  ]);
  await leaseWriting.run(transaction, rows);
}
