import type { AccountEntry, AccountSpec, BookBatch, BookEntry } from '../../core/books.ts';
import type { RequestRecord } from '../../core/request-record.ts';

/*
 * A batch on its way to another thread. The records of a batch share few accounts, so each account is written once and
 * entries point at it.
 */

export interface PackedBatch extends Omit<BookBatch, 'entries'> {
  readonly specs: readonly AccountSpec[];
  /** Record; then place in `specs`, delta and lease return, for each of its accounts. */
  readonly packed: readonly (readonly [RequestRecord, ...number[]])[];
}

export function packBatch({ entries, ...rest }: BookBatch): PackedBatch {
  const specs: AccountSpec[] = [];
  const places = new Map<string, number>();
  const packed = entries.map(({ record, accounts }): [RequestRecord, ...number[]] => {
    const item: [RequestRecord, ...number[]] = [record];
    for (const { delta, leaseReturn, ...spec } of accounts) {
      // The cap belongs to the identity here: it may change from one record to the next.
      const text = `${spec.windowStart} ${spec.cap} ${spec.key}`;
      let place = places.get(text);
      if (place === undefined) {
        place = specs.push(spec) - 1;
        places.set(text, place);
      }
      item.push(place, delta, leaseReturn);
    }
    return item;
  });
  return { ...rest, specs, packed };
}

export function unpackBatch({ specs, packed, ...rest }: PackedBatch): BookBatch {
  const entries = packed.map(([record, ...figures]): BookEntry => {
    const accounts: AccountEntry[] = [];
    for (let at = 0; at < figures.length; at += 3) {
      accounts.push({ ...specs[figures[at]!]!, delta: figures[at + 1]!, leaseReturn: figures[at + 2]! });
    }
    return { record, accounts };
  });
  return { ...rest, entries };
}
