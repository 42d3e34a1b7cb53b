import type { Kysely } from 'kysely';
import type {
  AccountRef,
  BatchResult,
  BookBatch,
  Books,
  JournalCheckpoint,
  LeaseAnswer,
  LeaseRecord,
  LeaseRequest,
  LeaseReturn,
} from '../../core/books.ts';
import type { Nanodollars } from '../../core/money.ts';
import type { AccountRecord } from '../../core/store.ts';
import { writtenOf } from '../../core/written-batch.ts';
import type { Database } from './engine.ts';
import type { SqliteLink } from './sqlite-link.ts';
import type { SqliteBookCall } from './sqlite-protocol.ts';

/** Hands every call of the books to the thread that writes, when its connection is free. */
export class SqliteBooks implements Books {
  readonly #link: SqliteLink;
  readonly #writer: Kysely<Database>;

  constructor(link: SqliteLink, writer: Kysely<Database>) {
    this.#link = link;
    this.#writer = writer;
  }

  apply(batch: BookBatch): Promise<BatchResult> {
    const { processId, checkpoint } = batch;
    // Entries of a written batch are not touched: they would have to be read for it.
    return this.#ask('apply', { processId, checkpoint, written: batch.written ?? writtenOf(batch.entries) });
  }

  acquireLease(request: LeaseRequest): Promise<LeaseAnswer> {
    return this.#call('acquireLease', [request]);
  }

  returnLease(
    processId: string,
    token: string,
    returns: readonly LeaseReturn[],
    now: number,
  ): Promise<readonly Nanodollars[]> {
    return this.#call('returnLease', [processId, token, returns, now]);
  }

  renewLeases(processId: string, expiresAt: number, now: number): Promise<readonly LeaseRecord[]> {
    return this.#call('renewLeases', [processId, expiresAt, now]);
  }

  releaseProcess(processId: string): Promise<void> {
    return this.#call('releaseProcess', [processId]);
  }

  expireLeases(now: number): Promise<readonly LeaseRecord[]> {
    return this.#call('expireLeases', [now]);
  }

  leases(processId: string): Promise<readonly LeaseRecord[]> {
    return this.#call('leases', [processId]);
  }

  checkpoint(processId: string): Promise<JournalCheckpoint | null> {
    return this.#call('checkpoint', [processId]);
  }

  balances(accounts: readonly AccountRef[]): Promise<readonly AccountRecord[]> {
    return this.#call('balances', [accounts]);
  }

  /** The arguments are copied before this returns: the caller may change them afterwards. */
  #call<Result>(method: keyof Books, args: readonly unknown[]): Promise<Result> {
    return this.#ask(method, JSON.stringify(args));
  }

  #ask<Result>(method: keyof Books, given: SqliteBookCall['given']): Promise<Result> {
    return this.#writer.connection().execute(async () => (await this.#link.call(method, given)) as Result);
  }
}
