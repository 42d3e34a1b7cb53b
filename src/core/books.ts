import type { Scope } from './identity.ts';
import type { Nanodollars } from './money.ts';
import type { RequestRecord } from './request-record.ts';
import type { AccountRecord } from './store.ts';
import { storableText } from './text.ts';
import type { WrittenBatch } from './written-batch.ts';

/*
 * What the ledger needs of a store: accounts, leases and usage rows that change together or not at all.
 *
 * Two equations hold for every account after every call, whatever was interrupted in between:
 *   leased = sum of the leases that are out on it
 *   spent  = sum of the deltas of its recorded requests + what was written off for processes that vanished
 * and for as long as its cap is not lowered, spent + leased <= cap.
 *
 * Every call is one transaction. A call that failed may or may not have taken effect; repeating it with the same token
 * (for `apply`: the same record ids) has the effect of a single call and gives the same answer.
 */

/** Names one account: what is counted, and the window it is counted in. */
export interface AccountRef {
  /** Made by `accountKey`. */
  readonly key: string;
  /** Unix milliseconds; 0 when the account never resets. */
  readonly windowStart: number;
}

/** An account with all that is needed to open it when it does not exist yet. */
export interface AccountSpec extends AccountRef {
  readonly scope: Scope;
  readonly id: string;
  /** '' = all models. */
  readonly model: string;
  /** Normalised duration; '' = never resets. */
  readonly duration: string;
  /** null = counted, never refused. The account keeps the cap that was named last. */
  readonly cap: Nanodollars | null;
}

/** What one recorded request does to one account. */
export interface AccountEntry extends AccountSpec {
  /** Added to `spent`. */
  readonly delta: Nanodollars;
  /**
   * Taken from this process's lease at the same moment: the part of the delta that was covered by it, normally the
   * whole delta; 0 for accounts without a cap. Never takes more than the lease holds.
   */
  readonly leaseReturn: Nanodollars;
}

export interface BookEntry {
  readonly record: RequestRecord;
  /** What of the record has no column of its own, as JSON, where somebody has written it already. */
  readonly detail?: string;
  readonly accounts: readonly AccountEntry[];
}

/** How far the journal of a process has come into the store. */
export interface JournalCheckpoint {
  readonly segment: number;
  readonly offset: number;
}

export interface BookBatch {
  readonly processId: string;
  readonly entries: Iterable<BookEntry>;
  /** The same entries as they stand in a journal, for a store that can do without an object for each. */
  readonly written?: WrittenBatch;
  readonly checkpoint?: JournalCheckpoint;
}

export interface BatchResult {
  /** Ids of the records that were on record already and changed nothing; of one given twice, the second. */
  readonly duplicates: readonly string[];
  /** The accounts of the new records as they stand after the batch. */
  readonly accounts: readonly AccountRecord[];
}

export interface LeaseWant extends AccountSpec {
  readonly cap: Nanodollars;
  /** Granted in full or the whole call is refused; 0 is allowed. */
  readonly need: Nanodollars;
  /** At most this much in all, `need` included. */
  readonly want: Nanodollars;
  /**
   * What goes beyond `need` is at most the account's free amount divided by this whole number, so that slices shrink
   * with the headroom. 1 = all of it.
   */
  readonly headroomDivisor: number;
}

export interface LeaseRequest {
  readonly processId: string;
  /** New for every acquisition; the same when one is repeated because its answer was lost. */
  readonly token: string;
  /** At most one per account. */
  readonly wants: readonly LeaseWant[];
  /** Unix milliseconds until when this process may use any lease it holds on these accounts unless it renews. */
  readonly expiresAt: number;
  readonly now: number;
}

export interface LeaseGrant extends AccountRef {
  /** Added to the lease by this call. */
  readonly granted: Nanodollars;
  /** The whole lease of this process on the account after the call, as the store knows it. */
  readonly held: Nanodollars;
  readonly spent: Nanodollars;
  /** Leases of all processes on the account, this one included. */
  readonly leased: Nanodollars;
  readonly cap: Nanodollars;
}

/** The figures of the first account, in key order, whose free amount is less than its need. */
export interface LeaseRefusal extends AccountRef {
  readonly need: Nanodollars;
  readonly cap: Nanodollars;
  readonly spent: Nanodollars;
  readonly leased: Nanodollars;
  /** Part of `leased` that this process holds itself. */
  readonly held: Nanodollars;
}

export type LeaseAnswer =
  | { readonly granted: readonly LeaseGrant[]; readonly refused: null }
  | { readonly granted: null; readonly refused: LeaseRefusal };

export interface LeaseReturn extends AccountRef {
  /** At most this much; never more than the lease holds. */
  readonly amount: Nanodollars;
}

export interface LeaseRecord extends AccountRef {
  readonly processId: string;
  readonly amount: Nanodollars;
  readonly expiresAt: number;
  /**
   * True once it expired: its amount was moved from `leased` to `spent`. Nobody else can take it meanwhile, so it comes
   * back unharmed when its process renews it, or acquires on the same account.
   */
  readonly writtenOff: boolean;
}

export interface Books {
  /**
   * Records requests: rows, account deltas, lease returns, daily sums and the checkpoint in one transaction. An id that
   * is on record, or stands twice in the batch, counts once.
   */
  apply(batch: BookBatch): Promise<BatchResult>;
  /**
   * Takes a slice of headroom on every account, or on none. Grants on each
   * `max(need, min(want, need + floor((free - need) / headroomDivisor)))` where free = cap - spent - leased.
   * A refusal leaves nothing behind, so one that is repeated is decided anew.
   */
  acquireLease(request: LeaseRequest): Promise<LeaseAnswer>;
  /** Gives unused parts of leases back. Resolves to what was really taken back, in the order given. */
  returnLease(
    processId: string,
    token: string,
    returns: readonly LeaseReturn[],
    now: number,
  ): Promise<readonly Nanodollars[]>;
  /**
   * Heartbeat: every lease of the process is good until `expiresAt`, also one that had been written off. A call that comes
   * late brings no end nearer; only an `expiresAt` before `now` does, which ends them all. Resolves to all leases of the
   * process. Answers kept for repetition are forgotten ten minutes after their call.
   */
  renewLeases(processId: string, expiresAt: number, now: number): Promise<readonly LeaseRecord[]>;
  /**
   * Gives back all that a process still holds, once its journal has been applied (or when it ends in good order), and
   * forgets its checkpoint. What was written off for it comes back, too.
   */
  releaseProcess(processId: string): Promise<void>;
  /**
   * Writes off every lease that ended before `now`: whether its process had spent it is not known, so it counts as
   * spent until that process renews it or is released. Resolves to the leases written off by this call.
   */
  expireLeases(now: number): Promise<readonly LeaseRecord[]>;
  leases(processId: string): Promise<readonly LeaseRecord[]>;
  /** Where the journal of the process has come to; null when nothing of it was ever applied. */
  checkpoint(processId: string): Promise<JournalCheckpoint | null>;
  /** Balances of these accounts; absent ones are left out. */
  balances(accounts: readonly AccountRef[]): Promise<readonly AccountRecord[]>;
}

/**
 * Word between processes over the same books: a request waits for headroom that another process may hold unused. It may
 * be lost; whoever waits asks again.
 */
export interface Recalls {
  /** Asks all other processes to give back what they do not need of this account. */
  send(account: AccountRef): void;
  /** `listener` hears what the others ask for. Called once. */
  listen(listener: (account: AccountRef) => void): void;
  close(): Promise<void>;
}

/**
 * What a request adds to an account: its whole cost; to the account of a deployment or provider what was bought there,
 * attempts whose end nobody saw included.
 */
export function shareOf({ scope, id }: Pick<AccountSpec, 'scope' | 'id'>, record: RequestRecord): Nanodollars {
  if (scope !== 'deployment' && scope !== 'provider') return record.cost;
  let unseen = 0;
  let own = 0;
  for (const attempt of record.attempts) {
    unseen += attempt.charged;
    if ((scope === 'deployment' ? attempt.deploymentId : attempt.provider) === id) own += attempt.charged;
  }
  const answered = scope === 'deployment' ? record.deploymentId : record.provider;
  return answered === id ? own + record.cost - unseen : own;
}

function part(given: string): string {
  const text = storableText(given);
  return text.includes('|') || text.includes('%') ? text.replaceAll('%', '%25').replaceAll('|', '%7C') : text;
}

/**
 * Key of an account: scope, id, model ('' = all) and normalised duration ('' = never resets) joined by `|`, with `%`
 * and `|` inside the parts percent-encoded so that no two accounts share a key. It is text that every store can hold.
 */
export function accountKey(scope: Scope, id: string, model: string, duration: string): string {
  return `${scope}|${part(id)}|${part(model)}|${part(duration)}`;
}
