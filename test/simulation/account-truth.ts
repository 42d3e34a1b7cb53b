import type { Nanodollars } from '../../src/core/money.ts';
import type { Incarnation } from './oracle.ts';

/** What one process has to do with one account. */
interface ShareOfProcess {
  /** Bounds of its open requests. */
  held: Nanodollars;
  /** Costs of its settled requests that the store does not have. */
  pending: Nanodollars;
}

/** How long a cap may still be acted on after it was changed: word of it, and the longest wait of a request. */
export const oldCapMs = 20_000;
/** How old figures may be by which a request is refused. */
const figuresMs = 2_000;

/** What is truly spent and held on one account, known without asking the ledger. */
export class AccountTruth {
  readonly name: string;
  /** Least and most that may be spent and held: they differ by what dead processes leave open. */
  low: Nanodollars = 0;
  high: Nanodollars = 0;
  /** Part of `low` that was admitted while there was no cap, and that other processes cannot know of yet. */
  hidden: Nanodollars = 0;
  /** Credits given so far. */
  credited: Nanodollars = 0;
  /** A figure above its cap that came about in an allowed way: more may be held up to it, not beyond. */
  level: Nanodollars = 0;
  readonly byProcess = new Map<Incarnation, ShareOfProcess>();
  /** The cap that each process heard of last. */
  readonly namedBy = new Map<Incarnation, Nanodollars | null>();
  /** Caps in the order in which they came into force. */
  #caps: { at: number; readonly cap: Nanodollars | null }[] = [];
  /** What counted a moment ago and no longer does. */
  #lately: { readonly amount: Nanodollars; readonly until: number }[] = [];

  constructor(name: string) {
    this.name = name;
  }

  of(process: Incarnation): ShareOfProcess {
    let share = this.byProcess.get(process);
    if (share === undefined) {
      share = { held: 0, pending: 0 };
      this.byProcess.set(process, share);
    }
    return share;
  }

  get hasCap(): boolean {
    return this.#caps.length > 0;
  }

  sawCap(cap: Nanodollars | null, now: number, used: Nanodollars): void {
    const last = this.#caps.at(-1);
    if (last !== undefined && last.cap === cap) return;
    this.#caps.push({ at: now, cap });
    if (last !== undefined) this.rise(used);
  }

  /** Whoever was not running between `from` and `now` has not heard of what changed meanwhile. */
  slept(from: number, now: number): void {
    for (const entry of this.#caps) if (entry.at >= from - oldCapMs) entry.at = now;
  }

  /**
   * May so much be spent and held now? Under the cap in force, under a higher one that somebody may still go by because
   * it was in force until after `heardSince`, or up to what came about under that one.
   */
  allows(amount: Nanodollars, heardSince: number): boolean {
    const cap = this.#caps.at(-1)?.cap ?? null;
    if (cap !== null && amount <= cap) return true;
    if (amount <= this.level) return true;
    const ceiling = this.#ceiling(heardSince);
    if (ceiling !== null && amount > ceiling) return false;
    this.level = amount;
    return true;
  }

  /** The highest of those in force since then; null = none. */
  #ceiling(heardSince: number): Nanodollars | null {
    const caps = this.#caps;
    let highest = caps.at(-1)?.cap ?? null;
    for (let index = caps.length - 2; index >= 0 && highest !== null; index--) {
      // It was in force until the next one came.
      if (caps[index + 1]!.at < heardSince) break;
      const { cap } = caps[index]!;
      highest = cap === null ? null : Math.max(highest, cap);
    }
    return highest;
  }

  /** What is spent and held passed its cap without anybody's fault. */
  rise(amount: Nanodollars): void {
    this.level = Math.max(this.level, amount);
  }

  /** For whoever reads of a violation. */
  told(): string {
    return JSON.stringify({ caps: this.#caps, level: this.level, low: this.low, high: this.high, hidden: this.hidden });
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
