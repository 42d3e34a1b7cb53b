import type { AccountSpec, BookBatch, BookEntry } from '../../core/books.ts';
import type { Nanodollars } from '../../core/money.ts';
import { figuresPerAccount, figuresPerRecord, type WrittenBatch, WrittenEntries } from '../../core/written-batch.ts';
import type { JournalPosition } from '../journal.ts';
import type { Account } from './account.ts';
import type { ReusedBlock } from './reused-block.ts';

/* A batch of settled requests as the journal has them, with what they do to their accounts. */

/**
 * A settled request on its way from the journal to the store. The record itself waits in the journal alone: what waits in
 * memory outlives the young generation and is collected at the price of the whole heap.
 */
export interface Posting {
  readonly accounts: readonly Account[];
  /** What it adds to each of them. */
  readonly cost: Nanodollars;
  /** The same where it is not the same for all. */
  readonly shares: readonly Nanodollars[] | null;
  /** Where its line ends in the journal. */
  readonly end: JournalPosition;
}

/** What each request does to its accounts, and which accounts have no lease for all of it. */
export function writtenPostings(
  postings: readonly Posting[],
  bytes: Buffer,
  places: readonly number[],
  block: ReusedBlock,
): { written: WrittenBatch; touched: Iterable<Account>; uncovered: Account[] } {
  const left = new Map<Account, Left>();
  const uncovered = new Set<Account>();
  let length = 0;
  for (const { accounts } of postings) length += figuresPerRecord + figuresPerAccount * accounts.length;
  const room = block.bytes(length * Float64Array.BYTES_PER_ELEMENT);
  const figures = new Float64Array(room.buffer, room.byteOffset, length);
  let at = 0;
  for (let index = 0; index < postings.length; index++) {
    const { accounts, cost, shares } = postings[index]!;
    figures[at++] = places[index * 2]!;
    figures[at++] = places[index * 2 + 1]!;
    figures[at++] = accounts.length;
    for (let each = 0; each < accounts.length; each++) {
      const account = accounts[each]!;
      let rest = left.get(account);
      if (rest === undefined) {
        rest = { place: left.size, lease: account.lease, owed: account.held + account.pending };
        left.set(account, rest);
      }
      const delta = shares === null ? cost : shares[each]!;
      rest.owed -= delta;
      const leaseReturn = Math.max(0, Math.min(delta, rest.lease - rest.owed));
      rest.lease -= leaseReturn;
      if (leaseReturn < delta) uncovered.add(account);
      figures[at++] = rest.place;
      figures[at++] = delta;
      figures[at++] = leaseReturn;
    }
  }
  return {
    written: { bytes, specs: Array.from(left.keys(), specOf), figures },
    touched: left.keys(),
    uncovered: [...uncovered].sort((one, other) => one.number - other.number),
  };
}

/** What a batch has left of an account so far. */
interface Left {
  readonly place: number;
  lease: Nanodollars;
  owed: Nanodollars;
}

/** Read from the journal only where somebody wants an object for each. */
export class JournalBatch implements BookBatch {
  readonly processId: string;
  readonly written: WrittenBatch;
  readonly checkpoint: JournalPosition;
  #entries: readonly BookEntry[] | null = null;

  constructor(processId: string, written: WrittenBatch, checkpoint: JournalPosition) {
    this.processId = processId;
    this.written = written;
    this.checkpoint = checkpoint;
  }

  get entries(): readonly BookEntry[] {
    // On their own: a call whose answer was lost may still be at work when the memory is written anew.
    this.#entries ??= Array.from(new WrittenEntries(this.written), ({ record, detail, accounts }) => ({
      record,
      detail: detail!,
      accounts,
    }));
    return this.#entries;
  }
}

function specOf({ key, windowStart, scope, id, model, duration, cap }: Account): AccountSpec {
  return { key, windowStart, scope, id, model, duration, cap };
}
