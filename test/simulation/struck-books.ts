import type { Books } from '../../src/core/books.ts';
import type { Clock } from '../../src/core/ports.ts';
import type { ActiveFaults } from './fault-points.ts';
import { storeCalls } from './fault-points.ts';

/** The process that asks. */
export interface Asker {
  readonly clock: Clock;
  isAlive(): boolean;
  die(): void;
  pause(): void;
  /** Resolves at once, or when it runs again. */
  running(): Promise<void> | null;
  /** Something else changes a cap at this very moment. */
  changeCap(): void;
  /** Between this process and the store nothing goes through. */
  isCutOff(): boolean;
}

/** What the dead hear. A promise keeps all who wait for it, and with them their world: each gets its own. */
const never = () => new Promise<never>(() => {});
const laterMs = 700;

/** The books with the named fault points around every call that changes them. */
export function struckBooks(books: Books, faults: ActiveFaults, asker: Asker): Books {
  const calls = new Map<string, (...words: unknown[]) => Promise<unknown>>();
  for (const name of bookCalls) {
    const ask = books[name] as (...words: unknown[]) => Promise<unknown>;
    const call = storeCalls[name as keyof typeof storeCalls];
    calls.set(name, async (...words) => {
      if (!asker.isAlive()) return never();
      if (asker.isCutOff()) throw new Error('the store cannot be reached');
      if (call === undefined) {
        const answer = await ask.apply(books, words);
        await asker.running();
        return asker.isAlive() ? answer : never();
      }
      if (faults.strikes(`death before the ${call} commits`)) {
        asker.die();
        return never();
      }
      if (faults.strikes(`${call} lost on its way`)) throw new Error('the question was lost');
      if (call === 'reserve' && faults.strikes('cap changes between read and commit')) asker.changeCap();
      const answer = await ask.apply(books, words);
      if (faults.strikes(`death after the ${call} committed`)) {
        asker.die();
        return never();
      }
      if (faults.strikes(`${call} delivered twice`)) {
        // A copy that comes late must be harmless where the process may have ended meanwhile.
        if (call === 'release' || call === 'reserve') await ask.apply(books, words).catch(() => {});
        else asker.clock.setTimer(laterMs, () => void ask.apply(books, words).catch(() => {}));
      }
      if (faults.strikes(`reply of the ${call} lost`)) throw new Error('the answer was lost');
      if (call === 'reserve' && faults.strikes('pause between the reserve and its answer')) asker.pause();
      await asker.running();
      if (!asker.isAlive()) return never();
      return answer;
    });
  }
  return Object.fromEntries(calls) as unknown as Books;
}

const bookCalls = [
  'apply',
  'acquireLease',
  'returnLease',
  'renewLeases',
  'releaseProcess',
  'expireLeases',
  'leases',
  'checkpoint',
  'balances',
] as const satisfies readonly (keyof Books)[];
