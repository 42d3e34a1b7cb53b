import type { AccountSpec } from '../../core/books.ts';
import type { Scope } from '../../core/identity.ts';
import type { Nanodollars } from '../../core/money.ts';
import { AccountLock } from './account-lock.ts';
import type { Chain } from './chain.ts';

/**
 * What this process knows of one account: the slice it holds from the store and what it has done with it.
 *
 * `lease` follows what the store has on lease for this process, changed only by definite answers. `held` is the sum of
 * open bounds, `pending` the cost of settled requests that the store does not have yet. What is left is `available`; it
 * is negative when more was admitted than is leased (no cap at the time, or a cost beyond its bound).
 */
export class Account implements AccountSpec {
  readonly key: string;
  readonly windowStart: number;
  readonly windowEnd: number | null;
  readonly scope: Scope;
  readonly id: string;
  readonly model: string;
  readonly duration: string;
  /** Order in which locks are taken. */
  readonly number: number;
  readonly lock = new AccountLock();
  /** The cap that a rule named last; null = counted only. */
  cap: Nanodollars | null = null;
  lease: Nanodollars = 0;
  held: Nanodollars = 0;
  pending: Nanodollars = 0;
  /** Least cap under which the store would have granted the lease; a cap below it must be put to the store again. */
  grantCap: Nanodollars = 0;
  /** Unix milliseconds until when the lease may be used. */
  goodUntil = 0;
  /** What the store has as spent and leased to this process together; covered settlements do not change it. */
  charged: Nanodollars = 0;
  /** Unix milliseconds of the store's answer behind `charged`; 0 = it never said. */
  chargedAt = 0;
  leasedToOthers: Nanodollars = 0;
  /** Sizes the next slice: what was taken from the lease since the last one. */
  taken: Nanodollars = 0;
  usedAt = 0;
  /** Store calls underway that change the lease. */
  underway = 0;
  /** Unix milliseconds until when another process waits for what is unused here. */
  recalledUntil = 0;
  /** Unix milliseconds of the last time that this process asked the others. */
  recallSentAt = 0;
  /** Counts these calls, so that an older answer is not taken for a newer one. */
  changes = 0;
  /** The soft budget and the cap whose crossing was told already. */
  softAlerted: Nanodollars | null = null;
  capAlerted: Nanodollars | null = null;
  /** The share of the cap, in per cent, that was told as nearly used up. */
  shareAlerted = 0;
  /** Set when it was dropped from memory: rules must look it up again. */
  dropped = false;
  /** The last chain that began with it. */
  chain: Chain | null = null;

  constructor(spec: Omit<AccountSpec, 'cap'>, windowEnd: number | null, number: number) {
    this.key = spec.key;
    this.windowStart = spec.windowStart;
    this.windowEnd = windowEnd;
    this.scope = spec.scope;
    this.id = spec.id;
    this.model = spec.model;
    this.duration = spec.duration;
    this.number = number;
  }

  get available(): Nanodollars {
    return this.lease - this.held - this.pending;
  }

  /** Spent and held for certain, by this process's knowledge: the least that the true figure can be. */
  get committed(): Nanodollars {
    return this.charged - this.available;
  }

  /** Is it still the one to count in? */
  isCurrent(now: number): boolean {
    return !this.dropped && now >= this.windowStart && (this.windowEnd === null || now < this.windowEnd);
  }

  /** May `bound` be taken from the slice, without asking anybody? */
  covers(bound: Nanodollars, cap: Nanodollars, now: number): boolean {
    return cap >= this.grantCap && now < this.goodUntil && this.available >= bound && this.committed + bound <= cap;
  }
}
