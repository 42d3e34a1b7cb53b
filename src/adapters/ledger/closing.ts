import type { Books } from '../../core/books.ts';
import type { Accounts } from './accounts.ts';
import type { Flusher } from './flusher.ts';
import type { LedgerJournal } from './ledger-journal.ts';
import type { Patience } from './patience.ts';

const closeMs = 10_000;
const quietStepMs = 20;

export interface ClosingParts {
  readonly books: Books;
  readonly processId: string;
  readonly accounts: Accounts;
  readonly journal: LedgerJournal;
  readonly flusher: Flusher;
  readonly patience: Patience;
}

/**
 * The end in good order: everything settled is in the store, the leases go back, the journal is removed. What was sent and
 * never settled is charged at the next start, from the journal; its leases stay until then.
 */
export async function closeBooks({
  books,
  processId,
  accounts,
  journal,
  flusher,
  patience,
}: ClosingParts): Promise<void> {
  const hasEverything = () => flusher.pending === 0 && journal.open === 0;
  journal.tryWrite();
  const isFlushed = await patience.within(closeMs, flushAll(flusher)).catch(() => false);
  patience.close();
  const isQuiet = await settled(accounts, patience);
  // Requests that waited for the store came to their end meanwhile: with their rows there the leases may go back.
  const isWhole = isFlushed && isQuiet && (await patience.within(closeMs, flushAll(flusher)).catch(() => false));
  let isReleased: boolean | undefined = false;
  if (isWhole && hasEverything()) {
    const release = books.releaseProcess(processId).then(() => true);
    isReleased = await patience.within(closeMs, release).catch(() => false);
  }
  journal.close(isReleased === true && hasEverything());
}

/** Requests may come to their end while others are written. */
async function flushAll(flusher: Flusher): Promise<boolean> {
  do await flusher.flush();
  while (flusher.pending > 0);
  return true;
}

/** Waits for store calls that change leases: one that comes after the release would leave a lease that nobody has. */
async function settled(accounts: Accounts, patience: Patience): Promise<boolean> {
  const isBusy = () => accounts.all().some(({ underway }) => underway > 0);
  for (let waitedMs = 0; isBusy() && waitedMs < closeMs; waitedMs += quietStepMs) await patience.pause(quietStepMs);
  return !isBusy();
}
