import type { Recalls } from '../../core/books.ts';
import { GatewayError } from '../../core/errors.ts';
import type { BudgetDenial } from '../../core/limits.ts';
import type { Nanodollars } from '../../core/money.ts';
import type { Clock } from '../../core/ports.ts';
import type { Account } from './account.ts';
import { releaseAll, takeAll } from './account-lock.ts';
import type { Hold } from './hold.ts';
import type { LeasePolicy } from './lease-policy.ts';
import type { Leases, Shortage } from './leases.ts';
import { isOf } from './leases.ts';
import type { Patience } from './patience.ts';

/** After so many rounds a request locks all its capped accounts, so that nobody can overtake it again. */
const politeRounds = 3;

/**
 * Decides whether a bound fits on every account of a chain. From memory when the slices cover it, or when it certainly
 * does not fit; else it takes its place in line and asks the store. It refuses only for what is really spent and held.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #leases: Leases;
  readonly #patience: Patience;
  readonly #policy: LeasePolicy;
  readonly #recalls: Recalls | null;
  #waiters = 0;

  constructor(clock: Clock, leases: Leases, patience: Patience, policy: LeasePolicy, recalls: Recalls | null) {
    this.#clock = clock;
    this.#leases = leases;
    this.#patience = patience;
    this.#policy = policy;
    this.#recalls = recalls;
  }

  get waiters(): number {
    return this.#waiters;
  }

  /** Adds `amount` to the hold on all its accounts, or to none. */
  admit(hold: Hold, amount: Nanodollars, now: number): true | BudgetDenial | Promise<true | BudgetDenial> {
    const { accounts, caps } = hold;
    let covered = true;
    if (amount > 0) {
      for (let at = 0; at < accounts.length; at++) {
        const cap = caps[at]!;
        if (cap === null) continue;
        const account = accounts[at]!;
        if (this.#exceeds(account, cap, amount, now)) return denial(hold, at, amount);
        if (account.lock.waiting > 0 || !account.covers(amount, cap, now)) covered = false;
      }
    }
    if (!covered) return this.#wait(hold, amount);
    take(hold, amount);
    return true;
  }

  /** While the store is away: what the last known figures do not rule out. A cap may then be exceeded, visibly. */
  admitUnseen(hold: Hold, amount: Nanodollars): true | BudgetDenial {
    for (const [at, account] of hold.accounts.entries()) {
      const cap = hold.caps[at]!;
      if (cap !== null && account.committed + amount > cap) return denial(hold, at, amount);
    }
    take(hold, amount);
    return true;
  }

  async #wait(hold: Hold, amount: Nanodollars): Promise<true | BudgetDenial> {
    if (this.#waiters >= this.#policy.waitersMax) {
      throw new GatewayError('overloaded', 'Too many requests are waiting for the budget store. Try again shortly.', {
        retryAfterSeconds: 1,
      });
    }
    this.#waiters += 1;
    try {
      const beganTick = this.#clock.tick();
      let starvingSince: number | null = null;
      for (let round = 0; ; round++) {
        const verdict = await this.#round(hold, amount, beganTick, round >= politeRounds);
        if (verdict === 'again') continue;
        if (typeof verdict !== 'object' || !('starved' in verdict)) return verdict;
        // Only slices of other processes stand in the way: what they do not need comes back when they hear of it.
        const now = this.#clock.now();
        starvingSince ??= now;
        this.#recall(hold.accounts[verdict.starved]!, now);
        if (now - starvingSince >= this.#policy.starvationMs) return denial(hold, verdict.starved, amount);
        await this.#patience.pause(this.#policy.starvationStepMs);
      }
    } finally {
      this.#waiters -= 1;
    }
  }

  async #round(
    hold: Hold,
    amount: Nanodollars,
    beganTick: number,
    all: boolean,
  ): Promise<true | BudgetDenial | 'again' | { readonly starved: number }> {
    const locked = this.#inLineFor(hold, amount, all);
    const locks = locked.map(({ lock }) => lock);
    for (const lock of locks) lock.waiting += 1;
    let underway: Promise<unknown> | null = null;
    const inTime = async <Answer>(work: Promise<Answer>): Promise<Answer> => {
      underway = work;
      const answer = await this.#patience.whileItAnswers(
        beganTick,
        this.#policy.storeMs,
        this.#policy.storeDownMs,
        work.then((value) => ({ value })),
      );
      if (answer === undefined) throw storeUnavailable();
      underway = null;
      return answer.value;
    };
    try {
      await inTime(takeAll(locks));
      const verdict = this.#decide(hold, amount);
      if (verdict !== null) return verdict;
      const shortages = this.#shortages(hold, amount);
      if (shortages.some(({ account }) => !locked.includes(account))) return 'again';
      const { refused } = await inTime(this.#leases.acquire(shortages));
      const decided = this.#decide(hold, amount);
      if (decided !== null) return decided;
      if (refused === null) return 'again';
      const { account } = shortages.find((shortage) => isOf(shortage.account, refused))!;
      if (account.available > 0) {
        // A slice taken under a higher cap: with it back in the store, the store can judge under the new one.
        if (!(await inTime(this.#leases.giveBack([{ account, amount: account.available }])))) throw unrecordable();
        return 'again';
      }
      return { starved: hold.accounts.indexOf(account) };
    } finally {
      for (const lock of locks) lock.waiting -= 1;
      // A store call that is still out keeps its accounts locked until its answer is definite.
      if (underway === null) releaseAll(locks);
      else void (underway as Promise<unknown>).catch(() => {}).then(() => releaseAll(locks));
    }
  }

  /** The accounts this request must queue for, in the order in which everybody takes locks. */
  #inLineFor(hold: Hold, amount: Nanodollars, all: boolean): Account[] {
    const now = this.#clock.now();
    const line: Account[] = [];
    for (let at = 0; at < hold.accounts.length; at++) {
      const cap = hold.caps[at]!;
      const account = hold.accounts[at]!;
      if (cap === null) continue;
      if (all || account.lock.waiting > 0 || !account.covers(amount, cap, now)) line.push(account);
    }
    return line.sort((one, other) => one.number - other.number);
  }

  #shortages(hold: Hold, amount: Nanodollars): Shortage[] {
    const now = this.#clock.now();
    const shortages: Shortage[] = [];
    for (let at = 0; at < hold.accounts.length; at++) {
      const cap = hold.caps[at]!;
      const account = hold.accounts[at]!;
      if (cap !== null && !account.covers(amount, cap, now)) shortages.push({ account, cap, bound: amount });
    }
    return shortages;
  }

  /** True: held. A denial: certainly too much. Null: ask the store. */
  #decide(hold: Hold, amount: Nanodollars): true | BudgetDenial | null {
    const now = this.#clock.now();
    let covered = true;
    for (let at = 0; at < hold.accounts.length; at++) {
      const cap = hold.caps[at]!;
      if (cap === null) continue;
      const account = hold.accounts[at]!;
      if (this.#exceeds(account, cap, amount, now)) return denial(hold, at, amount);
      if (!account.covers(amount, cap, now)) covered = false;
    }
    if (!covered) return null;
    take(hold, amount);
    return true;
  }

  /** The others forget a recall after `recallMs`, so it is repeated while anybody starves. */
  #recall(account: Account, now: number): void {
    if (this.#recalls === null || now - account.recallSentAt < this.#policy.recallMs / 2) return;
    account.recallSentAt = now;
    this.#recalls.send(account);
  }

  #exceeds(account: Account, cap: Nanodollars, amount: Nanodollars, now: number): boolean {
    return now - account.chargedAt <= this.#policy.figuresMs && account.committed + amount > cap;
  }
}

function take(hold: Hold, amount: Nanodollars): void {
  for (const account of hold.accounts) {
    account.held += amount;
    account.taken += amount;
  }
  hold.bound += amount;
}

export function denial(hold: Hold, at: number, bound: Nanodollars): BudgetDenial {
  const account = hold.accounts[at]!;
  return {
    rule: hold.rules[at]!,
    cap: hold.caps[at]!,
    spent: account.charged - account.lease + account.pending,
    held: account.held + account.leasedToOthers,
    bound,
    resetAt: account.windowEnd,
  };
}

function storeUnavailable(): GatewayError {
  return new GatewayError(
    'budget_store_unavailable',
    'The budget store does not answer, so the budget cannot be checked. Try again shortly.',
    { retryAfterSeconds: 1 },
  );
}

export function unrecordable(): GatewayError {
  return new GatewayError(
    'budget_store_unavailable',
    'The gateway cannot write its journal, so the request cannot be put on record before it is sent.',
    { retryAfterSeconds: 5 },
  );
}
