import type { AccountEntry, AccountSpec, BookBatch, BookEntry, JournalCheckpoint } from '../../core/books.ts';
import type { RequestRecord } from '../../core/request-record.ts';

/*
 * A batch on its way to another thread: the records as they stand in the journal, end to end, and the figures of their
 * accounts. They share few accounts, so each is written once and the figures point at it. Nothing of it is copied on the
 * way: both blocks change hands.
 */
export interface PackedBatch {
  readonly processId: string;
  readonly checkpoint: JournalCheckpoint | null;
  readonly specs: readonly AccountSpec[];
  /** UTF-8. */
  readonly records: Uint8Array<ArrayBuffer>;
  /** For each record: bytes, number of accounts; for each of those its place in `specs`, delta, lease return. */
  readonly figures: Float64Array<ArrayBuffer>;
}

export function packBatch({ processId, entries, checkpoint }: BookBatch): PackedBatch {
  const places = new Map<string, number>();
  const latest = new Map<string, { readonly windowStart: number; readonly cap: number | null; readonly at: number }>();
  const specs: AccountSpec[] = [];
  const place = (account: AccountEntry): number => {
    // The cap belongs to the identity here: it may change from one record to the next, and seldom does.
    const last = latest.get(account.key);
    if (last !== undefined && last.windowStart === account.windowStart && last.cap === account.cap) return last.at;
    const identity = `${account.windowStart} ${account.cap} ${account.key}`;
    let found = places.get(identity);
    if (found === undefined) {
      const { delta: _delta, leaseReturn: _leaseReturn, ...spec } = account;
      found = specs.push(spec) - 1;
      places.set(identity, found);
    }
    latest.set(account.key, { windowStart: account.windowStart, cap: account.cap, at: found });
    return found;
  };
  // The record itself is not touched: it may have to be parsed for it.
  const written = entries.map((entry) => entry.recordBytes ?? Buffer.from(JSON.stringify(entry.record)));
  const records = new Uint8Array(written.reduce((sum, { length }) => sum + length, 0));
  const figures = new Float64Array(entries.reduce((sum, { accounts }) => sum + 2 + 3 * accounts.length, 0));
  let offset = 0;
  let at = 0;
  for (let index = 0; index < entries.length; index++) {
    const bytes = written[index]!;
    const { accounts } = entries[index]!;
    records.set(bytes, offset);
    offset += bytes.length;
    figures[at++] = bytes.length;
    figures[at++] = accounts.length;
    for (let each = 0; each < accounts.length; each++) {
      const account = accounts[each]!;
      figures[at++] = place(account);
      figures[at++] = account.delta;
      figures[at++] = account.leaseReturn;
    }
  }
  return { processId, checkpoint: checkpoint ?? null, specs, records, figures };
}

export function unpackBatch({ processId, checkpoint, specs, records, figures }: PackedBatch): BookBatch {
  const bytes = Buffer.from(records.buffer, records.byteOffset, records.byteLength);
  const entries: BookEntry[] = [];
  let offset = 0;
  let at = 0;
  while (at < figures.length) {
    const end = offset + figures[at++]!;
    const record = JSON.parse(bytes.toString('utf8', offset, end)) as RequestRecord;
    offset = end;
    const accounts: AccountEntry[] = [];
    for (let left = figures[at++]!; left > 0; left--) {
      const { key, windowStart, scope, id, model, duration, cap } = specs[figures[at++]!]!;
      const delta = figures[at++]!;
      const leaseReturn = figures[at++]!;
      accounts.push({ key, windowStart, scope, id, model, duration, cap, delta, leaseReturn });
    }
    entries.push({ record, accounts });
  }
  return { processId, entries, ...(checkpoint !== null && { checkpoint }) };
}
