import type { BatchResult, Books } from '../../core/books.ts';
import type { Clock } from '../../core/ports.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import { figuresPerAccount, figuresPerRecord } from '../../core/written-batch.ts';
import type { JournalPosition } from '../journal.ts';
import type { Account } from './account.ts';
import { releaseAll, takeAll } from './account-lock.ts';
import { JournalBatch, type Posting, writtenPostings } from './journal-batch.ts';
import type { LedgerJournal } from './ledger-journal.ts';
import type { Patience } from './patience.ts';
import { ReusedBlock } from './reused-block.ts';

export interface FlushPolicy {
  readonly delayMs: number;
  readonly batchMax: number;
  /** Beyond this many, settled requests wait in the journal alone and are read back from it. */
  readonly pendingMax: number;
}

/** A commit costs as much as the rows of some 50 requests, and nobody waits for it: the journal has them already. */
export const flushPolicy: FlushPolicy = { delayMs: 100, batchMax: 256, pendingMax: 10_000 };

/** Moves settled requests to the store, in the order of the journal, one transaction per batch. */
export class Flusher {
  readonly #books: Books;
  readonly #processId: string;
  readonly #clock: Clock;
  readonly #journal: LedgerJournal;
  readonly #patience: Patience;
  readonly #policy: FlushPolicy;
  #queue: Posting[] = [];
  /** Settled requests that stand in the journal only, after everything in the queue. */
  #spooled = 0;
  #applied: JournalPosition = { segment: 1, offset: 0 };
  #scheduled = false;
  #running = false;
  /** One batch is under way at a time, so that all take the same memory. */
  readonly #lines = new ReusedBlock(64 * 1024);
  readonly #figures = new ReusedBlock(8 * 1024);
  #flushing: { resolve: () => void; reject: (cause: unknown) => void }[] = [];
  /** Told of ids that were on record already although this process never recorded them. */
  onDuplicate: (record: RequestRecord) => void = () => {};

  constructor(
    books: Books,
    processId: string,
    clock: Clock,
    journal: LedgerJournal,
    patience: Patience,
    policy: FlushPolicy = flushPolicy,
  ) {
    this.#books = books;
    this.#processId = processId;
    this.#clock = clock;
    this.#journal = journal;
    this.#patience = patience;
    this.#policy = policy;
  }

  /** Settled requests that the store does not have yet. */
  get pending(): number {
    return this.#queue.length + this.#spooled;
  }

  /** Those of them that are not in memory. */
  get spooled(): number {
    return this.#spooled;
  }

  push(posting: Posting): void {
    if (this.#spooled > 0 || this.#queue.length >= this.#policy.pendingMax) this.#spooled += 1;
    else this.#queue.push(posting);
    this.#schedule();
  }

  /** Resolves when the store has everything that was pushed before; rejects when that waits for the next start. */
  flush(): Promise<void> {
    if (this.pending === 0 && !this.#running) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#flushing.push({ resolve, reject });
      void this.#run();
    });
  }

  #schedule(): void {
    if (this.#running || this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.setTimer(this.#policy.delayMs, () => {
      this.#scheduled = false;
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      // Small batches wait for company, unless somebody waits for them.
      do await this.#next();
      while (this.pending >= this.#policy.batchMax || (this.pending > 0 && this.#flushing.length > 0));
      if (this.pending === 0) for (const { resolve } of this.#flushing.splice(0)) resolve();
      this.#running = false;
      if (this.pending > 0) this.#schedule();
    } catch (cause) {
      // Closed while the store was away: the journal keeps the rest for the next start.
      for (const { reject } of this.#flushing.splice(0)) reject(cause);
    }
  }

  async #next(): Promise<void> {
    if (this.#queue.length === 0 && this.#spooled > 0) {
      const read = await this.#patience.until(async () =>
        this.#journal.readPostings(this.#applied, this.#policy.batchMax),
      );
      this.#spooled -= read.length;
      this.#queue = read;
    }
    const batch = this.#nextBatch();
    if (batch.length === 0) return;
    const { end } = batch[batch.length - 1]!;
    // Between the segments stands nothing that was settled.
    const from = this.#applied.segment === end.segment ? this.#applied.offset : 0;
    const { bytes, places } = await this.#patience.until(async () => {
      const places: number[] = [];
      const bytes = this.#journal.readRecords(end.segment, from, end.offset, this.#lines, places);
      if (places.length === batch.length * 2) return { bytes, places };
      throw new Error('the journal lacks records that were written to it');
    });
    await this.#apply(batch, bytes, places);
    this.#queue.splice(0, batch.length);
    this.#applied = end;
    this.#journal.forgetBefore(this.#applied.segment);
  }

  /** Those that come next and stand in one segment. */
  #nextBatch(): Posting[] {
    const { batchMax } = this.#policy;
    const segment = this.#queue[0]?.end.segment;
    let length = 0;
    while (length < batchMax && length < this.#queue.length && this.#queue[length]!.end.segment === segment)
      length += 1;
    return this.#queue.slice(0, length);
  }

  async #apply(postings: readonly Posting[], bytes: Buffer, places: readonly number[]): Promise<void> {
    const { written, touched, uncovered } = writtenPostings(postings, bytes, places, this.#figures);
    // A cost that no lease covers changes what is free: nobody may ask for a lease on that account meanwhile.
    const locks = uncovered.map(({ lock }) => lock);
    await takeAll(locks);
    try {
      const before = new Map<Account, number>();
      for (const account of touched) before.set(account, account.changes);
      for (const { accounts } of postings) for (const account of accounts) account.underway += 1;
      this.#journal.tryWrite();
      let attempts = 0;
      const batch = new JournalBatch(this.#processId, written, postings[postings.length - 1]!.end);
      const result = await this.#patience.until(() => {
        attempts += 1;
        return this.#books.apply(batch);
      });
      // Where a slice came or went meanwhile, the store's figures may be older than what is known here.
      for (const [account, changes] of before) if (account.changes !== changes) before.delete(account);
      // What an attempt before may have written is new all the same.
      const known =
        attempts === 1 && result.duplicates.length > 0 ? this.#duplicatesIn(batch, result.duplicates) : null;
      let at = 0;
      for (let index = 0; index < postings.length; index++) {
        const { accounts } = postings[index]!;
        const isNew = known === null || !known.has(index);
        at += figuresPerRecord;
        for (let each = 0; each < accounts.length; each++, at += figuresPerAccount) {
          const account = accounts[each]!;
          const delta = written.figures[at + 1]!;
          const leaseReturn = written.figures[at + 2]!;
          account.pending -= delta;
          account.underway -= 1;
          account.changes += 1;
          if (!isNew) continue;
          account.lease -= leaseReturn;
          account.charged += delta - leaseReturn;
          // Spent beyond the lease: whether the rest of it still fits under the cap, the store must say.
          if (leaseReturn < delta) account.grantCap = Number.POSITIVE_INFINITY;
        }
      }
      this.#learn(result, before.keys());
    } finally {
      releaseAll(locks);
    }
  }

  /** Places of the entries that were on record already; of an id that was given twice, the second is the duplicate. */
  #duplicatesIn({ entries }: JournalBatch, ids: readonly string[]): Set<number> {
    const left = [...ids];
    const places = new Set<number>();
    for (let index = entries.length - 1; index >= 0; index--) {
      const { record } = entries[index]!;
      if (!takenFrom(left, record.id)) continue;
      places.add(index);
      this.onDuplicate(record);
    }
    return places;
  }

  /** Takes over the store's own figures. */
  #learn(result: BatchResult, accounts: Iterable<Account>): void {
    const now = this.#clock.now();
    const byKey = new Map(result.accounts.map((figures) => [`${figures.key}@${figures.windowStart}`, figures]));
    for (const account of accounts) {
      const figures = byKey.get(`${account.key}@${account.windowStart}`);
      // A lease that ended may stand under `spent` until it is renewed.
      if (figures === undefined || (account.lease > 0 && now >= account.goodUntil)) continue;
      account.charged = figures.spent + account.lease;
      account.chargedAt = now;
      if (account.lock.free) account.leasedToOthers = Math.max(0, figures.leased - account.lease);
    }
  }
}

function takenFrom(ids: string[], id: string): boolean {
  const at = ids.indexOf(id);
  if (at >= 0) ids.splice(at, 1);
  return at >= 0;
}
