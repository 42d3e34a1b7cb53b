import type { Books, LeaseAnswer, LeaseWant } from '../../core/books.ts';
import type { Nanodollars } from '../../core/money.ts';
import type { Chance, Clock } from '../../core/ports.ts';
import type { Account } from './account.ts';
import type { Accounts } from './accounts.ts';
import type { LeasePolicy } from './lease-policy.ts';
import { sliceFor } from './lease-policy.ts';
import { Closed, type Patience } from './patience.ts';

/** What a request lacks on one account. */
export interface Shortage {
  readonly account: Account;
  readonly cap: Nanodollars;
  readonly bound: Nanodollars;
}

const returnsPerCall = 500;

/**
 * Store calls that change leases. Each is repeated until the answer is definite, so that what this process believes to
 * hold is what the store has on lease for it. Callers hold the locks of the accounts they name.
 */
export class Leases {
  readonly #books: Books;
  readonly #processId: string;
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #patience: Patience;
  readonly #policy: LeasePolicy;
  readonly #accounts: Accounts;
  readonly #writeJournal: () => boolean;

  /** `writeJournal` puts every line into the file; false when the disk refuses. */
  constructor(
    books: Books,
    processId: string,
    clock: Clock,
    chance: Chance,
    patience: Patience,
    policy: LeasePolicy,
    accounts: Accounts,
    writeJournal: () => boolean,
  ) {
    this.#books = books;
    this.#processId = processId;
    this.#clock = clock;
    this.#chance = chance;
    this.#patience = patience;
    this.#policy = policy;
    this.#accounts = accounts;
    this.#writeJournal = writeJournal;
  }

  /** Asks for a slice on every account, or none. */
  async acquire(shortages: readonly Shortage[]): Promise<LeaseAnswer> {
    if (this.#patience.closed) throw new Closed();
    const now = this.#clock.now();
    const request = {
      processId: this.#processId,
      token: this.#chance.id(),
      wants: shortages.map((shortage) => this.#want(shortage, now)),
      expiresAt: now + this.#policy.leaseMs,
      now,
    };
    for (const { account } of shortages) {
      account.underway += 1;
      this.#accounts.leasing.add(account);
    }
    const answer = await this.#patience.until(() => this.#books.acquireLease(request));
    const answeredAt = this.#clock.now();
    for (const { account, cap } of shortages) {
      account.underway -= 1;
      account.changes += 1;
      if (answer.refused !== null) {
        if (isOf(account, answer.refused)) setFigures(account, answer.refused, answeredAt);
        continue;
      }
      const grant = answer.granted.find((candidate) => isOf(account, candidate))!;
      account.lease += grant.granted;
      account.grantCap = cap;
      account.goodUntil = Math.max(account.goodUntil, request.expiresAt);
      account.taken = 0;
      // A grant whose answer was lost is told again as it was: its figures may be as old as the question.
      setFigures(account, grant, now);
    }
    return answer;
  }

  /**
   * Gives unused parts of leases back; from this moment on they are not used here any more. What a settlement freed goes back
   * only when its line is in the file: else a death now would charge the whole bound, and somebody else has it by then.
   * False: nothing went back, for the disk refuses.
   */
  async giveBack(returns: readonly { readonly account: Account; readonly amount: Nanodollars }[]): Promise<boolean> {
    if (!this.#writeJournal()) return false;
    for (const { account, amount } of returns) {
      account.underway += 1;
      account.lease -= amount;
      account.charged -= amount;
    }
    for (let from = 0; from < returns.length; from += returnsPerCall) {
      const some = returns.slice(from, from + returnsPerCall);
      const token = this.#chance.id();
      const amounts = some.map(({ account, amount }) => ({
        key: account.key,
        windowStart: account.windowStart,
        amount,
      }));
      const now = this.#clock.now();
      await this.#patience.until(() => this.#books.returnLease(this.#processId, token, amounts, now));
      for (const { account } of some) {
        account.underway -= 1;
        account.changes += 1;
      }
    }
    return true;
  }

  #want({ account, cap, bound }: Shortage, now: number): LeaseWant {
    const need = Math.max(0, bound - account.available);
    const { want, headroomDivisor } = sliceFor(account, need, bound, cap, this.#policy, now);
    return {
      key: account.key,
      windowStart: account.windowStart,
      scope: account.scope,
      id: account.id,
      model: account.model,
      duration: account.duration,
      cap,
      need,
      want,
      headroomDivisor,
    };
  }
}

/** Do these figures of the store speak of this account? */
export function isOf(account: Account, figures: { readonly key: string; readonly windowStart: number }): boolean {
  return figures.key === account.key && figures.windowStart === account.windowStart;
}

function setFigures(
  account: Account,
  figures: { readonly spent: Nanodollars; readonly leased: Nanodollars; readonly held: Nanodollars },
  now: number,
): void {
  account.charged = figures.spent + figures.held;
  account.chargedAt = now;
  account.leasedToOthers = figures.leased - figures.held;
}
