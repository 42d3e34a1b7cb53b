import type { SinkEntry } from './entry.ts';

/** A place that entries are delivered to. It says how one entry looks on the wire and sends batches; the queue does the rest. */
export interface Destination {
  /** One entry's share of a batch: good until the next one is written. */
  encode(entry: SinkEntry): Encoded;
  /** Sends one batch, in the order it was taken. Never rejects. Afterwards its bytes may be written anew. */
  send(batch: readonly Encoded[]): Promise<Delivery>;
  /** Entries in one batch. */
  readonly batchMax: number;
  /** Bytes in one batch; an entry that is longer travels alone. */
  readonly batchBytesMax: number;
  /** Batches under way at the same time. */
  readonly parallelMax: number;
  /** How long an entry may wait for others. */
  readonly flushMs: number;
}

export interface Encoded {
  readonly bytes: Buffer;
  /** What is counted: spans where there are spans, else 1. */
  readonly items: number;
}

export type Delivery =
  /** `refused`: items of the batch that the other side did not take, for good. */
  | { readonly kind: 'delivered'; readonly refused: number }
  /** Worth another try. */
  | { readonly kind: 'again'; readonly reason: string; readonly afterMs: number | null }
  /** The batch is too long for the other side. */
  | { readonly kind: 'too_large' }
  /** Never worth another try. */
  | { readonly kind: 'refused'; readonly reason: string };
