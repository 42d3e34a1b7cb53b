import type { BudgetRule } from '../../core/limits.ts';
import type { Nanodollars } from '../../core/money.ts';
import type { BudgetPart, BudgetReservation, DispatchNote } from '../../core/ports.ts';
import type { Listed } from '../../core/roster.ts';
import type { Account } from './account.ts';
import type { Chain } from './chain.ts';

const noParts: readonly Hold[] = [];

/** A bound that is, or is about to be, held on every account of a request's chain. */
export class Hold implements BudgetReservation, BudgetPart, Listed {
  readonly requestId: string;
  readonly chain: Chain;
  /** Cap of each account when money was last asked for, temporary increases included; null = counted only. */
  caps: readonly (Nanodollars | null)[];
  bound: Nanodollars = 0;
  /** What is held beside it on the budgets of deployments, one for each purchase there. */
  parts: readonly Hold[] = noParts;
  settled = false;
  /** The last note written; null before the dispatch. */
  note: DispatchNote | null = null;
  /** Segment of the journal that has the last note; 0 before the dispatch. */
  segment = 0;
  /** Among the dispatched and not settled. */
  place = -1;

  constructor(requestId: string, chain: Chain) {
    this.requestId = requestId;
    this.chain = chain;
    this.caps = chain.caps;
  }

  /** Each account once. */
  get accounts(): readonly Account[] {
    return this.chain.accounts;
  }

  /** The rule behind each account, for refusals. */
  get rules(): readonly BudgetRule[] {
    return this.chain.rules;
  }

  get capped(): boolean {
    for (const cap of this.caps) if (cap !== null) return true;
    return this.parts.some((part) => part.capped);
  }

  /** Every account that may bear a cost of the request, each once. */
  get bearers(): readonly Account[] {
    if (this.parts.length === 0) return this.accounts;
    const all = new Set(this.accounts);
    for (const part of this.parts) for (const account of part.accounts) all.add(account);
    return [...all];
  }
}
