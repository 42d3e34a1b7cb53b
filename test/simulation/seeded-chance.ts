import type { Chance } from '../../src/core/ports.ts';

/** Chance that repeats itself for the same seed. */
export class SeededChance implements Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  fraction(): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  happens(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.fraction() * items.length)]!;
  }

  id(): string {
    return `${this.#hex()}-${this.#hex(4)}-${this.#hex(4)}-${this.#hex(4)}-${this.#hex()}${this.#hex(4)}`;
  }

  #hex(digits = 8): string {
    const span = 16 ** digits;
    return (span + Math.floor(this.fraction() * span)).toString(16).slice(1);
  }

  token(bytes: number): string {
    return this.id().slice(0, bytes);
  }
}
