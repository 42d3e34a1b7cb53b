import type { Nanodollars } from '../../src/core/money.ts';
import type { CapHistory } from './cap-history.ts';
import type { Incarnation } from './oracle.ts';

/** What one process has to do with one account. */
interface ShareOfProcess {
  /** Bounds of its open requests. */
  held: Nanodollars;
  /** Costs of its settled requests that the store does not have. */
  pending: Nanodollars;
}

/** How old figures may be by which a request is refused. */
const figuresMs = 2_000;

/** What is truly spent and held on one account, known without asking the ledger. */
export class AccountTruth {
  readonly name: string;
  /** Of the budget, whatever the window: who has not heard of a change opens the next one under the cap of before. */
  readonly caps: CapHistory;
  /** Least and most that may be spent and held: they differ by what dead processes leave open. */
  low: Nanodollars = 0;
  high: Nanodollars = 0;
  /** Part of `low` that was admitted while there was no cap, and that other processes cannot know of yet. */
  hidden: Nanodollars = 0;
  /** Shares of the requests on record. */
  recorded: Nanodollars = 0;
  /** Credits given so far. */
  credited: Nanodollars = 0;
  /** A figure above its cap that came about in an allowed way: more may be held up to it, not beyond. */
  level: Nanodollars = 0;
  readonly byProcess = new Map<Incarnation, ShareOfProcess>();
  /** The cap that each process heard of last. */
  readonly namedBy = new Map<Incarnation, Nanodollars | null>();
  /** What counted a moment ago and no longer does. */
  #lately: { readonly amount: Nanodollars; readonly until: number }[] = [];

  constructor(name: string, caps: CapHistory) {
    this.name = name;
    this.caps = caps;
  }

  of(process: Incarnation): ShareOfProcess {
    let share = this.byProcess.get(process);
    if (share === undefined) {
      share = { held: 0, pending: 0 };
      this.byProcess.set(process, share);
    }
    return share;
  }

  /**
   * May so much be spent and held now? Under the cap in force, under a higher one that somebody may still go by because
   * it was in force until after `heardSince`, or up to what came about under that one.
   */
  allows(amount: Nanodollars, heardSince: number): boolean {
    const cap = this.caps.last;
    if (cap !== null && amount <= cap) return true;
    if (amount <= this.level) return true;
    const ceiling = this.caps.ceiling(heardSince);
    if (ceiling !== null && amount > ceiling) return false;
    this.level = amount;
    return true;
  }

  /** What is spent and held passed its cap without anybody's fault. */
  rise(amount: Nanodollars): void {
    this.level = Math.max(this.level, amount);
  }

  /** For whoever reads of a violation. */
  told(): string {
    return JSON.stringify({
      caps: this.caps.entries,
      level: this.level,
      low: this.low,
      high: this.high,
      hidden: this.hidden,
    });
  }

  fell(amount: Nanodollars, now: number): void {
    this.#lately.push({ amount, until: now + figuresMs });
  }

  /** Most that a process may believe to be spent and held now, by figures that are a moment old. */
  believed(now: number): Nanodollars {
    if (this.#lately.length === 0) return this.high;
    this.#lately = this.#lately.filter(({ until }) => until >= now);
    return this.#lately.reduce((sum, { amount }) => sum + amount, this.high);
  }
}
