import type { AccountEntry, AccountSpec, BookBatch, BookEntry, JournalCheckpoint } from '../../core/books.ts';
import type { RequestRecord } from '../../core/request-record.ts';

/*
 * A batch on its way to another thread, as pieces of JSON: the head, then one for each entry. The records of a batch
 * share few accounts, so each account is written once and entries point at it; a record that has been written already is
 * not written again. Pieces, because one long text would be a large object, which only a full garbage collection frees.
 */

interface Head {
  readonly processId: string;
  readonly checkpoint?: JournalCheckpoint;
  readonly specs: readonly AccountSpec[];
}

/** Record; then place in `specs`, delta and lease return, for each of its accounts. */
type PackedEntry = readonly [RequestRecord, ...number[]];

export function packBatch({ processId, entries, checkpoint }: BookBatch): string[] {
  const places = new Map<string, number>();
  const latest = new Map<string, { readonly windowStart: number; readonly cap: number | null; readonly at: number }>();
  const specs: string[] = [];
  const place = (account: AccountEntry): number => {
    // The cap belongs to the identity here: it may change from one record to the next, and seldom does.
    const last = latest.get(account.key);
    if (last !== undefined && last.windowStart === account.windowStart && last.cap === account.cap) return last.at;
    const identity = `${account.windowStart} ${account.cap} ${account.key}`;
    let found = places.get(identity);
    if (found === undefined) {
      const { delta: _delta, leaseReturn: _leaseReturn, ...spec } = account;
      found = specs.push(JSON.stringify(spec)) - 1;
      places.set(identity, found);
    }
    latest.set(account.key, { windowStart: account.windowStart, cap: account.cap, at: found });
    return found;
  };
  const pieces = [''];
  for (const entry of entries) {
    let piece = `[${entry.recordText ?? JSON.stringify(entry.record)}`;
    for (const account of entry.accounts) piece += `,${place(account)},${account.delta},${account.leaseReturn}`;
    pieces.push(`${piece}]`);
  }
  const end = checkpoint === undefined ? '' : `"checkpoint":${JSON.stringify(checkpoint)},`;
  pieces[0] = `{"processId":${JSON.stringify(processId)},${end}"specs":[${specs.join(',')}]}`;
  return pieces;
}

export function unpackBatch([head, ...pieces]: readonly string[]): BookBatch {
  const { specs, ...rest } = JSON.parse(head!) as Head;
  const entries = pieces.map((piece): BookEntry => {
    const [record, ...figures] = JSON.parse(piece) as PackedEntry;
    const accounts: AccountEntry[] = [];
    for (let at = 0; at < figures.length; at += 3) {
      const { key, windowStart, scope, id, model, duration, cap } = specs[figures[at]!]!;
      const [delta, leaseReturn] = [figures[at + 1]!, figures[at + 2]!];
      accounts.push({ key, windowStart, scope, id, model, duration, cap, delta, leaseReturn });
    }
    return { record, accounts };
  });
  return { ...rest, entries };
}
