import { jsonBytes } from '../../core/json-writer.ts';
import type { BudgetRule } from '../../core/limits.ts';
import type { Nanodollars } from '../../core/money.ts';
import type { Account } from './account.ts';
import { KeptNote } from './journal-line.ts';

/** The accounts that a list of rules counts in, each once under the strictest cap that a rule names for it. */
export class Chain {
  /** The list it was made of. */
  readonly of: readonly BudgetRule[];
  readonly accounts: readonly Account[];
  /** The rule behind each account, for refusals. */
  readonly rules: readonly BudgetRule[];
  readonly caps: readonly (Nanodollars | null)[];
  /** Caps that rise for a time must be looked at each time. */
  readonly #isConstant: boolean;
  #written: Buffer | null = null;
  readonly keptNote = new KeptNote();

  constructor(
    of: readonly BudgetRule[],
    accounts: readonly Account[],
    rules: readonly BudgetRule[],
    caps: readonly (Nanodollars | null)[],
  ) {
    this.of = of;
    this.accounts = accounts;
    this.rules = rules;
    this.caps = caps;
    this.#isConstant = of.every(({ increase }) => increase === null);
  }

  /** Does it still say what the rules say? Then its accounts are in use at that time. */
  takeUp(now: number): boolean {
    if (!this.#isConstant) return false;
    const { accounts, caps } = this;
    for (let at = 0; at < accounts.length; at++) if (!accounts[at]!.isCurrent(now)) return false;
    for (let at = 0; at < accounts.length; at++) {
      const account = accounts[at]!;
      account.usedAt = now;
      account.cap = caps[at]!;
    }
    return true;
  }

  /** How its accounts stand in a line of the journal. */
  get written(): Buffer {
    this.#written ??= jsonBytes(
      JSON.stringify(this.accounts.map(({ key, windowStart }, at) => [key, windowStart, this.caps[at]!])),
    );
    return this.#written;
  }
}
