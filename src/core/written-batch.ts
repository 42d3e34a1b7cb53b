import type { AccountEntry, AccountSpec, BookEntry } from './books.ts';
import { JsonWriter } from './json-writer.ts';
import { readRecord } from './record-reading.ts';
import { writeRecord } from './record-writing.ts';
import type { RequestRecord } from './request-record.ts';

/**
 * Records as they stand in a journal, and what they do to their accounts, without an object for each. Its blocks may be
 * memory that another thread sees too, and are written anew for the next batch.
 */
export interface WrittenBatch {
  /** Records in UTF-8 as `writeRecord` writes them, anything in between. */
  readonly bytes: Uint8Array;
  /** Accounts that the records share. */
  readonly specs: readonly AccountSpec[];
  /**
   * For each record: where it begins and ends, and its number of accounts; for each of those the place in `specs`, delta,
   * lease return.
   */
  readonly figures: Float64Array;
}

/** Figures of one record beside those of its accounts, and of one account. */
export const figuresPerRecord = 3;
export const figuresPerAccount = 3;

class WrittenEntry implements BookEntry {
  readonly record: RequestRecord;
  readonly detail: string;
  readonly #batch: WrittenBatch;
  /** Of the first account. */
  readonly #at: number;
  readonly #count: number;

  constructor(bytes: Buffer, batch: WrittenBatch, at: number) {
    const { figures } = batch;
    const { record, detail } = readRecord(bytes, figures[at]!, figures[at + 1]!);
    this.record = record;
    this.detail = detail;
    this.#batch = batch;
    this.#count = figures[at + 2]!;
    this.#at = at + figuresPerRecord;
  }

  get accounts(): readonly AccountEntry[] {
    const { specs, figures } = this.#batch;
    return Array.from({ length: this.#count }, (_, index) => {
      const at = this.#at + index * figuresPerAccount;
      return { ...specs[figures[at]!]!, delta: figures[at + 1]!, leaseReturn: figures[at + 2]! };
    });
  }
}

/** The entries, read anew each time that they are gone through: good until its blocks are written anew. */
export class WrittenEntries implements Iterable<BookEntry> {
  readonly #batch: WrittenBatch;

  constructor(batch: WrittenBatch) {
    this.#batch = batch;
  }

  *[Symbol.iterator](): Generator<BookEntry> {
    const { bytes, figures } = this.#batch;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < figures.length; at += figuresPerRecord + figuresPerAccount * figures[at + 2]!) {
      yield new WrittenEntry(buffer, this.#batch, at);
    }
  }
}

/** What all entries together do to each account; the account that was named last comes last. */
export function sumsOf({ specs, figures }: WrittenBatch): AccountEntry[] {
  const sums = specs.map((spec) => ({ ...spec, delta: 0, leaseReturn: 0, namedAt: 0 }));
  for (let at = 0; at < figures.length; ) {
    const end = at + figuresPerRecord + figuresPerAccount * figures[at + 2]!;
    for (at += figuresPerRecord; at < end; at += figuresPerAccount) {
      const sum = sums[figures[at]!]!;
      sum.delta += figures[at + 1]!;
      sum.leaseReturn += figures[at + 2]!;
      sum.namedAt = at;
    }
  }
  return sums.sort((one, other) => one.namedAt - other.namedAt).map(({ namedAt: _namedAt, ...sum }) => sum);
}

/** The same entries written out. */
export function writtenOf(given: Iterable<BookEntry>): WrittenBatch {
  const entries = [...given];
  const writer = new JsonWriter();
  const texts = entries.map(({ record }) => {
    writer.reset();
    writeRecord(writer, record);
    return Buffer.from(writer.written);
  });
  const places = new Map<string, number>();
  const specs: AccountSpec[] = [];
  const figures: number[] = [];
  let offset = 0;
  for (const [index, { accounts }] of entries.entries()) {
    const end = offset + texts[index]!.length;
    figures.push(offset, end, accounts.length);
    offset = end;
    for (const { delta, leaseReturn, ...spec } of accounts) {
      // The cap belongs to the identity here: it may change from one record to the next.
      const identity = `${spec.windowStart} ${spec.cap} ${spec.key}`;
      let place = places.get(identity);
      if (place === undefined) {
        place = specs.push(spec) - 1;
        places.set(identity, place);
      }
      figures.push(place, delta, leaseReturn);
    }
  }
  return { bytes: Buffer.concat(texts), specs, figures: Float64Array.from(figures) };
}
