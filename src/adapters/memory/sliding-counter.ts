import type { RateLimitRule } from '../../core/limits.ts';

const windowMs = 60_000;
const slotMs = 250;
const slotsInWindow = windowMs / slotMs;

/**
 * What was counted in the last 60 s, in slots of a quarter second: a count stays for at least 60 and at most 60.25 s, so
 * that no window of 60 s ever holds more than was allowed. Only slots in which something was counted take room.
 */
export class SlidingCounter {
  /** Sum over the window, as of the last `advance`. */
  total = 0;
  /** A limit that it counts for. */
  rule: RateLimitRule | null = null;
  /** Parallel slots in use. */
  open = 0;
  /** Set when its owner forgot it: whoever still has it must look it up again. */
  dropped = false;
  #slots: number[] = [];
  #amounts: number[] = [];
  #head = 0;

  /** The slot of a monotonic time in milliseconds. */
  static slotAt(tick: number): number {
    return Math.floor(tick / slotMs);
  }

  get isIdle(): boolean {
    return this.open === 0 && this.#head === this.#slots.length;
  }

  /** Forgets what has left the window that ends in `slot`. */
  advance(slot: number): void {
    while (this.#head < this.#slots.length && this.#slots[this.#head]! < slot - slotsInWindow) {
      this.total -= this.#amounts[this.#head]!;
      this.#head++;
    }
    if (this.#head === this.#slots.length) {
      this.#head = 0;
      this.#slots.length = 0;
      this.#amounts.length = 0;
      this.total = 0;
    } else if (this.#head > slotsInWindow) {
      this.#slots = this.#slots.slice(this.#head);
      this.#amounts = this.#amounts.slice(this.#head);
      this.#head = 0;
    }
  }

  add(slot: number, amount: number): void {
    const last = this.#slots.length - 1;
    if (last >= this.#head && this.#slots[last] === slot) this.#amounts[last] = this.#amounts[last]! + amount;
    else {
      this.#slots.push(slot);
      this.#amounts.push(amount);
    }
    this.total += amount;
  }

  /** Changes what was counted in a slot, if it is still in the window. */
  correct(slot: number, difference: number): void {
    for (let index = this.#slots.length - 1; index >= this.#head; index--) {
      if (this.#slots[index] === slot) {
        this.#amounts[index] = this.#amounts[index]! + difference;
        this.total += difference;
        return;
      }
      if (this.#slots[index]! < slot) return;
    }
  }

  /** Milliseconds until at least `amount` will have left the window; the whole window when it never holds that much. */
  msUntilFree(tick: number, amount: number): number {
    let freed = 0;
    for (let index = this.#head; index < this.#slots.length; index++) {
      freed += this.#amounts[index]!;
      if (freed >= amount) return this.#msUntilGone(tick, this.#slots[index]!);
    }
    return windowMs;
  }

  /** What was counted in each slot, and how long ago that was at the least. */
  *counted(tick: number): Generator<{ readonly ageMs: number; readonly amount: number }> {
    for (let index = this.#head; index < this.#slots.length; index++) {
      yield { ageMs: Math.max(0, tick - (this.#slots[index]! + 1) * slotMs), amount: this.#amounts[index]! };
    }
  }

  msUntilEmpty(tick: number): number {
    return this.isIdle || this.#slots.length === 0 ? 0 : this.#msUntilGone(tick, this.#slots[this.#slots.length - 1]!);
  }

  #msUntilGone(tick: number, slot: number): number {
    return Math.max(0, (slot + slotsInWindow + 1) * slotMs - tick);
  }
}
