import type { Nanodollars } from '../../src/core/money.ts';

/** How long a cap may still be acted on after it was changed: word of it, and the longest wait of a request. */
export const oldCapMs = 20_000;

/** The caps of one budget in the order in which they came into force. It is the same in all its windows. */
export class CapHistory {
  readonly entries: { at: number; readonly cap: Nanodollars | null }[] = [];

  /** The one in force; null = none. */
  get last(): Nanodollars | null {
    return this.entries.at(-1)?.cap ?? null;
  }

  get isKnown(): boolean {
    return this.entries.length > 0;
  }

  /** True where it took the place of another one. */
  saw(cap: Nanodollars | null, now: number): boolean {
    const isFirst = !this.isKnown;
    if (!isFirst && this.last === cap) return false;
    this.entries.push({ at: now, cap });
    return !isFirst;
  }

  /** Whoever was not running between `from` and `now` has not heard of what changed meanwhile. */
  slept(from: number, now: number): void {
    for (let index = this.entries.length - 1; index >= 0; index--) {
      const entry = this.entries[index]!;
      if (entry.at < from - oldCapMs) break;
      entry.at = now;
    }
  }

  /** The highest that somebody may go by who has heard of everything until then; null = none. */
  ceiling(heardSince: number): Nanodollars | null {
    const { entries } = this;
    let highest = this.last;
    for (let index = entries.length - 2; index >= 0 && highest !== null; index--) {
      // It was in force until the next one came.
      if (entries[index + 1]!.at < heardSince) break;
      const { cap } = entries[index]!;
      highest = cap === null ? null : Math.max(highest, cap);
    }
    return highest;
  }
}
