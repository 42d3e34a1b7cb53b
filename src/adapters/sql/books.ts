import type {
  AccountEntry,
  AccountRef,
  BatchResult,
  BookBatch,
  BookEntry,
  Books,
  JournalCheckpoint,
  LeaseAnswer,
  LeaseRecord,
  LeaseRequest,
  LeaseReturn,
} from '../../core/books.ts';
import type { Nanodollars } from '../../core/money.ts';
import type { AccountRecord } from '../../core/store.ts';
import { sumsOf } from '../../core/written-batch.ts';
import { readBalances } from './accounts.ts';
import { grantLeases, revive, sumEntries, takeFromLease, writeOff } from './book-arithmetic.ts';
import type { BooksTransaction, MutableLease } from './book-rows.ts';
import {
  leasesEndedBefore,
  leasesOfProcess,
  leasesOn,
  openAccounts,
  refText,
  takeAccounts,
  takeLeasesOfProcess,
  writeAccounts,
  writeLeases,
} from './book-rows.ts';
import { BulkInsert } from './bulk-insert.ts';
import { wholeNumber } from './columns.ts';
import type { SqlEngine } from './engine.ts';
import { type InsertedUsage, insertUsage } from './usage-insert.ts';

/** How long the answer of a call is kept for a repetition. */
const answerKeptMs = 600_000;
const seriesMax = 100_000;

function* startsOf({ entries }: BookBatch): Generator<number> {
  for (const { record } of entries) yield record.startedAt;
}

/** What the entries that were not on record before do to their accounts. */
function freshOf(
  { entries, written }: BookBatch,
  duplicates: InsertedUsage['duplicates'],
): Iterable<Pick<BookEntry, 'accounts'>> {
  if (duplicates.length === 0) return written === undefined ? entries : [{ accounts: sumsOf(written) }];
  const places = new Set(duplicates.map(({ place }) => place));
  return [...entries].filter((_, place) => !places.has(place));
}

/** Not a fault: ends the transaction without effect and carries the answer out of it. */
class LeaseRefused extends Error {
  readonly answer: LeaseAnswer;

  constructor(answer: LeaseAnswer) {
    super('refused');
    this.answer = answer;
  }
}

/** The books in SQL: one transaction per call. */
export class SqlBooks implements Books {
  readonly #engine: SqlEngine;
  /** Series of sums that this process has put into the store, or knows to be there. */
  readonly #series = new Set<string>();

  constructor(engine: SqlEngine) {
    this.#engine = engine;
  }

  apply(batch: BookBatch): Promise<BatchResult> {
    const { usageRows } = this.#engine;
    const record = async (transaction: BooksTransaction) => {
      const { duplicates, series } = await insertUsage(transaction, usageRows, batch.entries, this.#series);
      const accounts = await this.#applySums(transaction, batch.processId, sumEntries(freshOf(batch, duplicates)));
      if (batch.checkpoint !== undefined) {
        const { segment, offset } = batch.checkpoint;
        await checkpointWriting.run(transaction, [[batch.processId, segment, offset]]);
      }
      return { result: { duplicates: duplicates.map(({ id }) => id), accounts }, series };
    };
    return this.#engine
      .transaction(record, () => usageRows.prepare(startsOf(batch)))
      .then(({ result, series }) => {
        if (this.#series.size > seriesMax) this.#series.clear();
        for (const id of series) this.#series.add(id);
        return result;
      });
  }

  async #applySums(
    transaction: BooksTransaction,
    processId: string,
    sums: ReadonlyMap<string, AccountEntry>,
  ): Promise<AccountRecord[]> {
    if (sums.size === 0) return [];
    const accounts = await openAccounts(transaction, sums.values());
    const covered = [...sums.values()].filter(({ leaseReturn }) => leaseReturn > 0);
    const leases =
      covered.length === 0
        ? new Map<string, MutableLease>()
        : await leasesOn(transaction, this.#engine, processId, covered);
    const touched: MutableLease[] = [];
    for (const [key, { delta, leaseReturn }] of sums) {
      const account = accounts.get(key)!;
      account.spent += delta;
      const lease = leases.get(key);
      if (leaseReturn > 0 && lease !== undefined) {
        takeFromLease(account, lease, leaseReturn);
        touched.push(lease);
      }
    }
    await writeAccounts(transaction, accounts.values());
    await writeLeases(transaction, touched);
    return [...accounts.values()];
  }

  acquireLease(request: LeaseRequest): Promise<LeaseAnswer> {
    const { processId, token, wants, expiresAt, now } = request;
    return this.#once<LeaseAnswer>(processId, token, now, async (transaction) => {
      const accounts = await openAccounts(transaction, wants);
      const leases = await leasesOn(transaction, this.#engine, processId, wants);
      const ordered = [...wants].sort((one, other) => (refText(one) < refText(other) ? -1 : 1));
      const touched = ordered.map((want): MutableLease => {
        const key = refText(want);
        let lease = leases.get(key);
        if (lease === undefined) {
          const { key: accountKey, windowStart } = want;
          lease = { processId, key: accountKey, windowStart, amount: 0, expiresAt, writtenOff: false };
          leases.set(key, lease);
        }
        revive(accounts.get(key)!, lease);
        lease.expiresAt = Math.max(lease.expiresAt, expiresAt);
        return lease;
      });
      const answer = grantLeases(ordered, accounts, leases);
      // Undoes what was opened: a refusal leaves nothing behind.
      if (answer.refused !== null) throw new LeaseRefused(answer);
      await writeAccounts(transaction, accounts.values());
      await writeLeases(transaction, touched);
      return answer;
    }).catch((cause: unknown) => {
      if (cause instanceof LeaseRefused) return cause.answer;
      throw cause;
    });
  }

  returnLease(
    processId: string,
    token: string,
    returns: readonly LeaseReturn[],
    now: number,
  ): Promise<readonly Nanodollars[]> {
    return this.#once<readonly Nanodollars[]>(processId, token, now, async (transaction) => {
      const accounts = await takeAccounts(transaction, this.#engine, returns);
      const leases = await leasesOn(transaction, this.#engine, processId, returns);
      const answer = returns.map((wanted) => {
        const account = accounts.get(refText(wanted));
        const lease = leases.get(refText(wanted));
        return account === undefined || lease === undefined ? 0 : takeFromLease(account, lease, wanted.amount);
      });
      await writeAccounts(transaction, accounts.values());
      await writeLeases(transaction, leases.values());
      return answer;
    });
  }

  renewLeases(processId: string, expiresAt: number, now: number): Promise<readonly LeaseRecord[]> {
    return this.#transaction(async (transaction) => {
      await this.#reviveAll(transaction, processId);
      await takeLeasesOfProcess(transaction, this.#engine, processId);
      await transaction.deleteFrom('leases').where('process_id', '=', processId).where('amount', '=', 0).execute();
      const renewal = transaction
        .updateTable('leases')
        .set({ expires_at: expiresAt })
        .where('process_id', '=', processId);
      await (expiresAt < now ? renewal : renewal.where('expires_at', '<', expiresAt)).execute();
      await transaction
        .deleteFrom('book_calls')
        .where('process_id', '=', processId)
        .where('at', '<', now - answerKeptMs)
        .execute();
      return leasesOfProcess(transaction, processId);
    });
  }

  async #reviveAll(transaction: BooksTransaction, processId: string): Promise<void> {
    const found = await leasesOfProcess(transaction, processId);
    const refs = found.filter(({ writtenOff }) => writtenOff);
    if (refs.length === 0) return;
    const accounts = await takeAccounts(transaction, this.#engine, refs);
    const leases = await leasesOn(transaction, this.#engine, processId, refs);
    for (const ref of refs) revive(accounts.get(refText(ref))!, leases.get(refText(ref))!);
    await writeAccounts(transaction, accounts.values());
    await writeLeases(transaction, leases.values());
  }

  releaseProcess(processId: string): Promise<void> {
    return this.#transaction(async (transaction) => {
      const refs = await leasesOfProcess(transaction, processId);
      const accounts = await takeAccounts(transaction, this.#engine, refs);
      const leases = await leasesOn(transaction, this.#engine, processId, refs);
      for (const [key, lease] of leases) {
        const account = accounts.get(key);
        if (account !== undefined) takeFromLease(account, lease, lease.amount);
      }
      await writeAccounts(transaction, accounts.values());
      for (const table of ['leases', 'journal_checkpoints', 'book_calls']) {
        await transaction.deleteFrom(table).where('process_id', '=', processId).execute();
      }
    });
  }

  expireLeases(now: number): Promise<readonly LeaseRecord[]> {
    return this.#transaction(async (transaction) => {
      const candidates = await leasesEndedBefore(transaction, now);
      if (candidates.length === 0) return [];
      const accounts = await takeAccounts(transaction, this.#engine, candidates);
      // Again, now that their accounts are taken: a heartbeat may have come in between.
      const ended = await leasesEndedBefore(transaction, now, this.#engine);
      const taken = ended.filter((lease) => accounts.has(refText(lease)));
      for (const lease of taken) writeOff(accounts.get(refText(lease))!, lease);
      await writeAccounts(transaction, accounts.values());
      await writeLeases(transaction, taken);
      return taken;
    });
  }

  leases(processId: string): Promise<readonly LeaseRecord[]> {
    return leasesOfProcess(this.#engine.reader, processId);
  }

  async checkpoint(processId: string): Promise<JournalCheckpoint | null> {
    const row = await this.#engine.reader
      .selectFrom('journal_checkpoints')
      .selectAll()
      .where('process_id', '=', processId)
      .executeTakeFirst();
    return row === undefined ? null : { segment: wholeNumber(row.segment), offset: wholeNumber(row.position) };
  }

  balances(accounts: readonly AccountRef[]): Promise<AccountRecord[]> {
    return readBalances(this.#engine.reader, accounts);
  }

  #transaction<Result>(work: (transaction: BooksTransaction) => Promise<Result>): Promise<Result> {
    return this.#engine.transaction(work);
  }

  /** Runs `work` unless a call with this token has been answered; then that answer is given again. */
  #once<Answer>(
    processId: string,
    token: string,
    now: number,
    work: (transaction: BooksTransaction) => Promise<Answer>,
  ): Promise<Answer> {
    return this.#transaction(async (transaction) => {
      const earlier = await transaction
        .selectFrom('book_calls')
        .select('answer')
        .where('process_id', '=', processId)
        .where('token', '=', token)
        .executeTakeFirst();
      if (earlier !== undefined) return JSON.parse(earlier.answer as string) as Answer;
      const answer = await work(transaction);
      const call = { process_id: processId, token, at: now, answer: JSON.stringify(answer) };
      await transaction.insertInto('book_calls').values(call).execute();
      return answer;
    });
  }
}

const checkpointWriting = new BulkInsert('journal_checkpoints', ['process_id', 'segment', 'position'], (insert) =>
  insert.onConflict((conflict) =>
    conflict.column('process_id').doUpdateSet((build) => ({
      segment: build.ref('excluded.segment'),
      position: build.ref('excluded.position'),
    })),
  ),
);
