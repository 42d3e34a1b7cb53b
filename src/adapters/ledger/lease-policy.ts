import type { Nanodollars } from '../../core/money.ts';
import { nanodollarsMax } from '../../core/money.ts';
import type { Account } from './account.ts';

/** How this process shares the headroom of budgets with others, and how patient it is. Changes when another one appears. */
export interface LeasePolicy {
  /** True when no other process uses these books: it may take large slices and need not give any back. */
  alone: boolean;
  /** True when others can ask for a slice back; without that, everything unused goes back at each heartbeat. */
  readonly recalls: boolean;
  /** How long a lease is good without a heartbeat. */
  readonly leaseMs: number;
  heartbeatMs: number;
  /** A request that only slices of other processes keep out waits this long for them to come back. */
  readonly starvationMs: number;
  readonly starvationStepMs: number;
  /** A process that was asked to give back does so again and again, and takes no more than it needs, for so long. */
  readonly recallMs: number;
  readonly recallStepMs: number;
  /** A request waits this long for the store. */
  readonly storeMs: number;
  /** And this long while it is known to be away. */
  readonly storeDownMs: number;
  /** A refusal may be given from memory when the store's figures are at most this old. */
  readonly figuresMs: number;
  /** Slices unused for so long go back. */
  readonly idleMs: number;
  readonly waitersMax: number;
}

export function leasePolicy(alone: boolean, recalls = false): LeasePolicy {
  return {
    alone,
    recalls,
    leaseMs: 60_000,
    heartbeatMs: alone ? 10_000 : recalls ? 1_000 : 500,
    starvationMs: 2_500,
    starvationStepMs: 50,
    recallMs: 500,
    recallStepMs: 25,
    storeMs: 5_000,
    storeDownMs: 250,
    figuresMs: 1_000,
    idleMs: 60_000,
    waitersMax: 10_000,
  };
}

/** Part of the cap below which a shared budget is scarce: slices are cut to size and unused ones go back at once. */
const scarceFraction = 0.05;
const boundsPerSlice = 32;

export interface Slice {
  readonly want: Nanodollars;
  readonly headroomDivisor: number;
}

/** How much to ask for beyond `need` when a request of `bound` is waiting. */
export function sliceFor(
  account: Account,
  need: Nanodollars,
  bound: Nanodollars,
  cap: Nanodollars,
  policy: LeasePolicy,
  now: number,
): Slice {
  // Never more than is soon used: what is out when the power fails is charged.
  const want = Math.min(nanodollarsMax, need + Math.max(bound * boundsPerSlice, account.taken * 2));
  if (policy.alone) return { want, headroomDivisor: 2 };
  if (now < account.recalledUntil || isScarce(account, cap)) return { want: need, headroomDivisor: 1 };
  return { want, headroomDivisor: 8 };
}

/** Is so little left in the store that others may starve? */
export function isScarce(account: Account, cap: Nanodollars): boolean {
  if (account.chargedAt === 0) return false;
  return cap - account.charged - account.leasedToOthers < cap * scarceFraction;
}
