import { accountKey } from '../../src/core/books.ts';
import type { BudgetDenial, BudgetRule } from '../../src/core/limits.ts';
import { windowOf } from '../../src/core/window.ts';
import type { ModelBooks } from './model-books.ts';

/** One run of a simulated process, from its start to its end. */
export interface Incarnation {
  crashed: boolean;
}

export interface SimulatedRequest {
  readonly id: string;
  readonly incarnation: Incarnation;
  /** Account name → cap at the time of asking; null = counted. */
  readonly chain: ReadonlyMap<string, number | null>;
  /** As `chain`, with every higher cap that came into force while it was open. */
  readonly ceilings: Map<string, number | null>;
  bound: number;
  state: 'waiting' | 'open' | 'settled' | 'refused' | 'failed';
  /** Its note may be in the journal. */
  noted: boolean;
  /** It was sent to the provider, which billed this. */
  billed: number | null;
  cost: number;
  /** It went out without a line in the file: no cap applies to it and the disk was full. */
  unwritten: boolean;
  /** There was a moment since it asked at which it truly did not fit. */
  refusable: boolean;
}

/** Name of the account a rule counts in at a time. */
export function accountName(rule: BudgetRule, now: number): string {
  const { start } = windowOf(rule.duration, rule.timezone, now);
  return `${accountKey(rule.scope, rule.id, rule.model ?? '', rule.duration ?? '')}@${start}`;
}

/** The age at which figures are too old to refuse by, and the longest way of an answer. */
const figuresAgeMs = 2_000;

export class Violation extends Error {}

/** Knows the truth about every request, apart from the ledger, and compares. */
export class Oracle {
  readonly requests: SimulatedRequest[] = [];
  readonly #books: ModelBooks;
  /** A process alone must not refuse because of slices; several may have to until these are back. */
  readonly #alone: boolean;
  readonly #now: () => number;
  readonly #recent = new Map<string, { readonly at: number; readonly most: number }[]>();
  /** Highest cap an account ever had; null = it once had none. */
  readonly #highestCaps = new Map<string, number | null>();
  /** Names of accounts whose cap was lowered, or on which a cost went beyond its bound. */
  readonly excused = new Set<string>();
  /**
   * Accounts that once had no cap, or met a cost beyond its bound: what a replica spends there is on no lease, so the
   * others see it only when it has come to the store.
   */
  readonly unseen = new Set<string>();

  constructor(books: ModelBooks, alone: boolean, now: () => number) {
    this.#books = books;
    this.#now = now;
    this.#alone = alone;
  }

  /** Least and most that may truly be spent and held on an account now. */
  truth(account: string): { readonly low: number; readonly high: number } {
    let low = 0;
    let high = 0;
    for (const request of this.requests) {
      if (!request.chain.has(account)) continue;
      const record = this.#books.records.get(request.id);
      if (record !== undefined) {
        low += record.cost;
        high += record.cost;
      } else if (request.state === 'open' && !request.incarnation.crashed) {
        low += request.bound;
        high += request.bound;
      } else if (request.state === 'settled' && !request.incarnation.crashed) {
        low += request.cost;
        high += request.cost;
      } else if (request.noted && request.incarnation.crashed) {
        low += request.billed ?? 0;
        high += Math.max(request.bound, request.cost);
      }
    }
    return { low, high };
  }

  /** To be called at every step: notes for every waiting request whether it does not fit now. */
  observe(): void {
    if (!this.#alone) for (const account of this.#books.accounts.keys()) this.#recentMost(account);
    for (const request of this.requests) if (request.state === 'waiting') this.#observe(request);
  }

  #observe(request: SimulatedRequest): void {
    if (request.refusable) return;
    for (const [account, cap] of request.chain) {
      if (cap === null) continue;
      let most = this.truth(account).high;
      if (!this.#alone) {
        most = Math.max(most, this.#recentMost(account));
      }
      if (most + request.bound > cap) request.refusable = true;
    }
  }

  /**
   * A cap changed. Others may be admitted under it while older requests are on their way. What several replicas took on
   * lease under a cap they may use up when it is lowered: among them the highest cap counts.
   */
  capChanged(account: string, cap: number | null): void {
    for (const { state, ceilings } of this.requests) {
      if (state !== 'waiting' && state !== 'open') continue;
      const ceiling = ceilings.get(account);
      if (ceiling === undefined || ceiling === null) continue;
      ceilings.set(account, cap === null ? null : Math.max(cap, ceiling));
    }
  }

  /**
   * Most that the store had as spent and leased lately: a replica may go by figures that are a moment old, and a lease
   * that was written off counts as spent until it comes back.
   */
  #recentMost(account: string): number {
    const stored = this.#books.accounts.get(account);
    const now = this.#now();
    const seen = (this.#recent.get(account) ?? []).filter(({ at }) => now - at <= figuresAgeMs);
    seen.push({ at: now, most: (stored?.spent ?? 0) + (stored?.leased ?? 0) });
    this.#recent.set(account, seen);
    return Math.max(...seen.map(({ most }) => most));
  }

  /** S1, S5: what was admitted fits under every cap it was admitted under. */
  admitted(request: SimulatedRequest): void {
    request.state = 'open';
    this.checkCaps(request);
  }

  checkCaps(request: SimulatedRequest): void {
    for (const [account, own] of request.ceilings) {
      const cap = this.#alone ? own : this.#highestCapOf(account);
      if (cap === null || (!this.#alone && this.unseen.has(account))) continue;
      const { low } = this.truth(account);
      if (low > cap) throw new Violation(`S1: ${account} has ${low} spent and held over its cap of ${cap}`);
    }
  }

  /** T1: what was refused did not fit. */
  refused(request: SimulatedRequest, denial: BudgetDenial): void {
    this.#observe(request);
    request.state = 'refused';
    if (!request.refusable) {
      throw new Violation(
        `T1: ${request.id} with bound ${request.bound} was refused though it fits: ${JSON.stringify(denial)}`,
      );
    }
  }

  sawCap(account: string, cap: number | null): void {
    const highest = this.#highestCaps.get(account);
    if (cap === null || highest === null) {
      this.#highestCaps.set(account, null);
      this.excused.add(account);
      this.unseen.add(account);
    } else this.#highestCaps.set(account, Math.max(highest ?? 0, cap));
  }

  #highestCapOf(account: string): number | null {
    return this.#highestCaps.get(account) ?? null;
  }

  /** S2, S17: leases are what accounts say, and nobody holds more than the cap. */
  checkStore(): void {
    const leased = new Map<string, number>();
    for (const lease of this.#books.allLeases()) {
      if (lease.amount < 0) throw new Violation(`S2: a lease of ${lease.amount} on ${lease.key}`);
      const name = `${lease.key}@${lease.windowStart}`;
      if (!lease.writtenOff) leased.set(name, (leased.get(name) ?? 0) + lease.amount);
    }
    for (const [name, account] of this.#books.accounts) {
      if (account.leased !== (leased.get(name) ?? 0)) throw new Violation(`S17: leases on ${name} do not add up`);
      const cap = this.#highestCapOf(name);
      if (cap !== null && !this.excused.has(name) && account.spent + account.leased > cap) {
        throw new Violation(`S17: ${name} has ${account.spent} + ${account.leased} over its cap of ${cap}`);
      }
    }
  }

  /** When all is over: S3, S4, S7, S8, S10, L1, M4. */
  checkEnd(): void {
    const spent = new Map<string, number>();
    for (const request of this.requests) {
      const record = this.#books.records.get(request.id);
      const { crashed } = request.incarnation;
      if (record === undefined) {
        if (crashed && request.unwritten) continue;
        if (request.billed !== null) throw new Violation(`S10: ${request.id} was sent and left no record`);
        if (request.state === 'settled' && !crashed) throw new Violation(`S10: ${request.id} left no record`);
        continue;
      }
      if (record.status === 'unknown') {
        if (!crashed) throw new Violation(`M4: ${request.id} is unknown though its process did not die`);
        // The provider billed at most the bound, or broke its promise and nobody saw it.
        // What a full disk did not take of it (without a hard budget) is lost with the process.
        const excused = request.unwritten || request.billed === null || request.billed > request.bound;
        if (record.cost !== record.bound || (record.cost < (request.billed ?? 0) && !excused)) {
          throw new Violation(`S8: ${request.id} is charged ${record.cost}, billed ${request.billed}`);
        }
      } else if (record.cost !== request.cost) {
        throw new Violation(`S7: ${request.id} costs ${request.cost} and is recorded with ${record.cost}`);
      }
      for (const account of request.chain.keys()) spent.set(account, (spent.get(account) ?? 0) + record.cost);
    }
    const known = new Set(this.requests.map(({ id }) => id));
    for (const id of this.#books.records.keys()) {
      if (!known.has(id)) throw new Violation(`S10: a record ${id} without a request`);
    }
    for (const [name, account] of this.#books.accounts) {
      const expected = spent.get(name) ?? 0;
      if (account.spent !== expected) {
        throw new Violation(`S3: ${name} has ${account.spent} spent, its records say ${expected}`);
      }
      if (account.leased !== 0) throw new Violation(`L1: ${account.leased} still on lease on ${name}`);
    }
  }
}
