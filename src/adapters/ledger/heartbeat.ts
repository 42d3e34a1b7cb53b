import type { AccountRef, Books, LeaseRecord } from '../../core/books.ts';
import type { Nanodollars } from '../../core/money.ts';
import type { Clock } from '../../core/ports.ts';
import type { Account } from './account.ts';
import type { Accounts } from './accounts.ts';
import type { LeasePolicy } from './lease-policy.ts';
import { isScarce } from './lease-policy.ts';
import type { Leases } from './leases.ts';
import type { Patience } from './patience.ts';

/** Accounts that a beat looks at for being forgotten. */
const droppedAtOnceMin = 1_000;

/** Renews the leases of this process, gives back what it does not use, and ends the leases of processes that vanished. */
export class Heartbeat {
  readonly #books: Books;
  readonly #processId: string;
  readonly #clock: Clock;
  readonly #accounts: Accounts;
  readonly #leases: Leases;
  readonly #patience: Patience;
  readonly #policy: LeasePolicy;
  #renewedAt: number;

  constructor(
    books: Books,
    processId: string,
    clock: Clock,
    accounts: Accounts,
    leases: Leases,
    patience: Patience,
    policy: LeasePolicy,
  ) {
    this.#books = books;
    this.#processId = processId;
    this.#clock = clock;
    this.#accounts = accounts;
    this.#leases = leases;
    this.#patience = patience;
    this.#policy = policy;
    this.#renewedAt = clock.now();
  }

  /** Another process starves: what is unused goes back at once, and again until it asks no longer. */
  recall(ref: AccountRef): void {
    const account = this.#accounts.find(ref.key, ref.windowStart);
    if (account === undefined) return;
    const isUnderway = account.recalledUntil > 0;
    account.recalledUntil = this.#clock.now() + this.#policy.recallMs;
    // A failure here is final (closed): the rest of the lease goes back with the process.
    if (!isUnderway) void this.#returnWhileRecalled(account).catch(() => {});
  }

  async #returnWhileRecalled(account: Account): Promise<void> {
    while (this.#clock.now() < account.recalledUntil && !this.#patience.closed) {
      if (account.available > 0) {
        await account.lock.take();
        try {
          if (account.available > 0) await this.#leases.giveBack([{ account, amount: account.available }]);
        } finally {
          account.lock.release();
        }
      }
      await this.#patience.pause(this.#policy.recallStepMs);
    }
    account.recalledUntil = 0;
  }

  /** One beat. Rejects when the store does not answer; the next beat tries again. */
  async beat(): Promise<void> {
    await this.#giveBackUnused();
    if (this.#clock.now() - this.#renewedAt >= this.#policy.leaseMs / 3) await this.#renew();
    this.#dropIdle();
  }

  async #renew(): Promise<void> {
    const now = this.#clock.now();
    const expiresAt = now + this.#policy.leaseMs;
    const before = new Map<Account, { readonly changes: number }>();
    for (const account of this.#accounts.leasing) {
      if (account.underway === 0) before.set(account, { changes: account.changes });
    }
    if (before.size > 0) {
      this.#adopt(await this.#books.renewLeases(this.#processId, expiresAt, now), expiresAt, before);
    }
    this.#renewedAt = now;
    await this.#books.expireLeases(now);
  }

  #adopt(leases: readonly LeaseRecord[], expiresAt: number, before: Map<Account, { readonly changes: number }>): void {
    for (const { key, windowStart, amount } of leases) {
      const account = this.#accounts.find(key, windowStart);
      if (account === undefined) continue;
      account.goodUntil = Math.max(account.goodUntil, expiresAt);
      const seen = before.get(account);
      // Where nothing happened meanwhile the store's word counts: it may have more for us than we knew of.
      if (seen === undefined || account.underway > 0 || account.changes !== seen.changes) continue;
      account.charged += amount - account.lease;
      account.lease = amount;
      before.delete(account);
    }
    // The store has nothing for them, and nothing is on its way.
    for (const [account, { changes }] of before) {
      if (account.lease === 0 && account.underway === 0 && account.changes === changes) {
        this.#accounts.leasing.delete(account);
      }
    }
  }

  async #giveBackUnused(): Promise<void> {
    const now = this.#clock.now();
    const returns: { account: Account; amount: Nanodollars }[] = [];
    for (const account of this.#accounts.leasing) {
      if (account.available > 0 && this.#isUnused(account, now) && account.lock.tryTake()) {
        returns.push({ account, amount: account.available });
      }
    }
    if (returns.length === 0) return;
    try {
      await this.#leases.giveBack(returns);
    } finally {
      for (const { account } of returns) account.lock.release();
    }
  }

  #isUnused(account: Account, now: number): boolean {
    if (account.cap === null || (account.windowEnd !== null && now >= account.windowEnd)) return true;
    if (now - account.usedAt >= this.#policy.idleMs) return true;
    if (this.#policy.alone) return false;
    if (!this.#policy.recalls) return true;
    return now - account.usedAt >= this.#policy.heartbeatMs || isScarce(account, account.cap);
  }

  /** Forgets accounts that hold nothing and have not been used for a while. */
  #dropIdle(): void {
    const now = this.#clock.now();
    const count = Math.max(droppedAtOnceMin, Math.ceil(this.#accounts.size / 100));
    for (const account of this.#accounts.some(count)) {
      const empty = account.held === 0 && account.pending === 0 && account.lease === 0;
      if (!empty || !account.lock.free || account.lock.waiting > 0) continue;
      const over = account.windowEnd !== null && now >= account.windowEnd;
      if (now - account.usedAt >= (over ? this.#policy.idleMs : this.#policy.idleMs * 10)) this.#accounts.drop(account);
    }
  }
}
