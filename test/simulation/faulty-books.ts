import type { Books } from '../../src/core/books.ts';
import type { Clock } from '../../src/core/ports.ts';
import type { SeededChance } from './seeded-chance.ts';

export interface Faults {
  /** The store does not answer at all. */
  down: boolean;
  /** Probability that a call fails before it has any effect. */
  failure: number;
  /** Probability that a call takes effect and its answer is lost. */
  lostReply: number;
  /** Probability that a call is delivered a second time, later. */
  duplicate: number;
  /** Longest time on the way to the store, and back. */
  delayMs: number;
}

export function noFaults(): Faults {
  return { down: false, failure: 0, lostReply: 0, duplicate: 0, delayMs: 0 };
}

/** Calls that may safely arrive twice at any distance. */
const repeatable = new Set(['apply', 'returnLease', 'renewLeases', 'expireLeases']);

/** The books behind a bad line. `alive` says whether the caller still is: the dead hear nothing. */
export function faultyBooks(
  books: Books,
  clock: Clock,
  chance: SeededChance,
  faults: Faults,
  alive: () => boolean,
): Books {
  const pause = (delayMs: number) => new Promise<void>((resolve) => clock.setTimer(delayMs, resolve));
  const never = new Promise<never>(() => {});
  const call = async (name: string, words: unknown[]): Promise<unknown> => {
    const ask = books[name as keyof Books] as (...words: unknown[]) => Promise<unknown>;
    if (faults.delayMs > 0) await pause(chance.between(0, faults.delayMs));
    if (!alive()) return never;
    if (faults.down || chance.happens(faults.failure)) throw new Error('the store does not answer');
    const answer = await ask.apply(books, words);
    if (repeatable.has(name) && chance.happens(faults.duplicate)) {
      clock.setTimer(chance.between(1, 2_000), () => void ask.apply(books, words));
    }
    if (faults.delayMs > 0) await pause(chance.between(0, faults.delayMs));
    if (!alive()) return never;
    if (chance.happens(faults.lostReply)) throw new Error('the answer of the store was lost');
    return answer;
  };
  return new Proxy(books, {
    get:
      (_, name: string) =>
      (...words: unknown[]) =>
        call(name, words),
  });
}
