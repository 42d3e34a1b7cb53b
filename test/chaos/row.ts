import type { Rig } from './rig.ts';

/** `short` is part of every test run; `full` has the numbers of the promise. */
export type Size = 'short' | 'full';

export interface Outcome {
  /** What was measured, in words a reader of the table understands: `overspend (nano-dollars): 0 of 900`. */
  readonly figures: Readonly<Record<string, number | string>>;
  /** What is not as promised; empty = kept. */
  readonly broken: readonly string[];
}

/** One promise with the program that tries to break it. */
export interface Row {
  /** Its number in the list of promises. */
  readonly row: number;
  readonly promise: string;
  /** What `full` has to show. */
  readonly target: string;
  run(rig: Rig, size: Size): Promise<Outcome>;
}

export function sum(numbers: Iterable<number>): number {
  let all = 0;
  for (const number of numbers) all += number;
  return all;
}

export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

/** Repeats `look` until it says yes; false when `limitMs` is over first. */
export async function until(look: () => Promise<boolean> | boolean, limitMs: number, everyMs = 100): Promise<boolean> {
  const endsAt = performance.now() + limitMs;
  for (;;) {
    if (await look()) return true;
    if (performance.now() > endsAt) return false;
    await pause(everyMs);
  }
}

/** The same numbers in [0, 1) for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function percentile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0;
}
