import type { Clock, Log, Timer } from '../../core/ports.ts';
import type { Delivery, Destination, Encoded } from './destination.ts';
import type { SinkEntry } from './entry.ts';
import { type Kept, Slabs } from './slab.ts';

export interface QueueOptions {
  readonly name: string;
  readonly destination: Destination;
  readonly clock: Clock;
  readonly log: Log;
  /** What may wait, in bytes on the wire. */
  readonly bytesMax: number;
  /** What may wait in all queues that share it. */
  readonly pool?: BytePool;
}

export interface BytePool {
  used: number;
  readonly max: number;
}

/** At every moment `produced` = `delivered` + `dropped` + what waits or is under way. */
export interface QueueCounts {
  produced: number;
  delivered: number;
  dropped: number;
  /** Sends that failed and were tried again, or given up. */
  failures: number;
}

interface Waiting extends Encoded, Kept {}
type Batch = readonly Waiting[];

/** Entries that were taken and not yet written in the destination's words. */
const unwrittenMax = 10_000;
/** Written in one turn of the event loop. */
const writtenAtOnce = 32;
/** Counted for every entry on top of its bytes: what keeping it costs. */
const entryOverheadBytes = 128;
const pauseMinMs = 500;
const pauseMaxMs = 30_000;
const noticeMs = 60_000;

/**
 * Stands between the requests and one destination. Taking an entry costs a push; it is written in the next turn of the
 * event loop, sent in batches, sent again until the destination has it, and dropped, counted, only when the buffer is
 * full or the destination refuses it for good. Entries that wait keep their place: what comes too late is what is lost.
 */
export class SinkQueue {
  readonly name: string;
  readonly counts: QueueCounts = { produced: 0, delivered: 0, dropped: 0, failures: 0 };
  readonly #options: QueueOptions;
  /** May change while it runs. */
  bytesMax: number;
  #unwritten: SinkEntry[] = [];
  #writing = false;
  #waiting: Waiting[] = [];
  #waitingAt = 0;
  #waitingBytes = 0;
  readonly #slabs = new Slabs();
  /** Batches that failed and go first. */
  #again: Batch[] = [];
  readonly #underWay = new Set<Batch>();
  #flushTimer: Timer | null = null;
  #pauseTimer: Timer | null = null;
  #failuresInRow = 0;
  #batchMax: number;
  #noticedAt = Number.NEGATIVE_INFINITY;
  #closing: { readonly done: () => void } | null = null;
  #closed = false;

  constructor(options: QueueOptions) {
    this.name = options.name;
    this.#options = options;
    this.bytesMax = options.bytesMax;
    this.#batchMax = options.destination.batchMax;
  }

  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** The last send failed, and nothing was delivered since. */
  get isFailing(): boolean {
    return this.#failuresInRow > 0;
  }

  take(entry: SinkEntry): void {
    if (this.#closed || this.#unwritten.length >= unwrittenMax) {
      this.counts.produced += 1;
      this.#dropped(1, 'requests end faster than they can be told of');
      return;
    }
    this.#unwritten.push(entry);
    if (this.#writing) return;
    this.#writing = true;
    setImmediate(this.#write);
  }

  /** Sends what waits; resolves when all of it is delivered or dropped, at the latest after `limitMs`. */
  async close(limitMs: number): Promise<void> {
    while (this.#unwritten.length > 0) this.#writeSome();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closing = { done: resolve };
    this.#endPause();
    const limit = this.#options.clock.setTimer(limitMs, resolve);
    this.#send(true);
    if (this.#isIdle()) resolve();
    await promise;
    limit.cancel();
    // What came while the last batches were under way.
    while (this.#unwritten.length > 0) this.#writeSome();
    this.#closed = true;
    this.#flushTimer?.cancel();
    this.#endPause();
    // What is under way may have arrived; nobody knows.
    const left = [...this.#underWay, ...this.#again].flat().concat(this.#waiting.slice(this.#waitingAt));
    this.#underWay.clear();
    this.#again = [];
    this.#waiting = [];
    this.#waitingAt = 0;
    this.#hold(-this.#waitingBytes);
    if (left.length > 0) this.#dropped(itemsIn(left), 'the gateway stops', true);
  }

  readonly #write = (): void => {
    this.#writeSome();
    if (this.#unwritten.length > 0) setImmediate(this.#write);
    else this.#writing = false;
    this.#send(false);
  };

  #writeSome(): void {
    const { destination, log, pool } = this.#options;
    for (const entry of this.#unwritten.splice(0, writtenAtOnce)) {
      let encoded: Encoded;
      try {
        encoded = destination.encode(entry);
      } catch (cause) {
        this.counts.produced += 1;
        this.#dropped(1, 'it cannot be written');
        log.error(`${this.name} cannot be told of a request`, { requestId: entry.record.id, cause: String(cause) });
        continue;
      }
      this.counts.produced += encoded.items;
      const size = encoded.bytes.length + entryOverheadBytes;
      if (this.#waitingBytes + size > this.bytesMax || (pool !== undefined && pool.used + size > pool.max)) {
        this.#dropped(encoded.items, 'the buffer is full');
        continue;
      }
      this.#hold(size);
      const { bytes, slab } = this.#slabs.keep(encoded.bytes);
      this.#waiting.push({ bytes, slab, items: encoded.items });
    }
  }

  /** `whole`: also batches that are not full. */
  #send(whole: boolean): void {
    const { destination } = this.#options;
    while (this.#pauseTimer === null && !this.#closed && this.#underWay.size < destination.parallelMax) {
      // After a failure one batch at a time feels whether the destination is back.
      if (this.#failuresInRow > 0 && this.#underWay.size > 0) return;
      const batch = this.#again.shift() ?? this.#nextBatch(whole || this.#closing !== null);
      if (batch === null) break;
      this.#underWay.add(batch);
      void destination.send(batch).then(
        (delivery) => this.#over(batch, delivery),
        (cause: Error) => this.#over(batch, { kind: 'again', reason: cause.message, afterMs: null }),
      );
    }
    this.#armFlush();
  }

  #armFlush(): void {
    const { clock, destination } = this.#options;
    if (this.#flushTimer !== null || this.#pauseTimer !== null || this.#underWay.size >= destination.parallelMax)
      return;
    if (this.#waiting.length === this.#waitingAt) return;
    this.#flushTimer = clock.setTimer(destination.flushMs, () => {
      this.#flushTimer = null;
      this.#send(true);
    });
  }

  #nextBatch(whole: boolean): Batch | null {
    const { batchBytesMax } = this.#options.destination;
    const left = this.#waiting.length - this.#waitingAt;
    if (left === 0 || (!whole && left < this.#batchMax)) return null;
    const start = this.#waitingAt;
    let bytes = 0;
    let end = start;
    while (end < this.#waiting.length && end - start < this.#batchMax) {
      bytes += this.#waiting[end]!.bytes.length;
      if (end > start && bytes > batchBytesMax) break;
      end += 1;
    }
    const batch = this.#waiting.slice(start, end);
    this.#waitingAt = end;
    // The front is cut off now and then, not at every batch.
    if (this.#waitingAt === this.#waiting.length || this.#waitingAt > 4_096) {
      this.#waiting = this.#waiting.slice(this.#waitingAt);
      this.#waitingAt = 0;
    }
    return batch;
  }

  #over(batch: Batch, delivery: Delivery): void {
    if (!this.#underWay.delete(batch) || this.#closed) return;
    switch (delivery.kind) {
      case 'delivered':
        this.#failuresInRow = 0;
        this.#release(batch);
        this.counts.delivered += itemsIn(batch) - delivery.refused;
        if (delivery.refused > 0) this.#dropped(delivery.refused, 'the other side did not take them');
        break;
      case 'too_large':
        this.counts.failures += 1;
        if (batch.length === 1) {
          this.#release(batch);
          this.#dropped(itemsIn(batch), 'too long for the other side');
        } else {
          const half = Math.ceil(batch.length / 2);
          this.#batchMax = Math.min(this.#batchMax, half);
          this.#again.push(batch.slice(0, half), batch.slice(half));
        }
        break;
      case 'refused':
        this.counts.failures += 1;
        this.#release(batch);
        this.#dropped(itemsIn(batch), delivery.reason);
        break;
      case 'again':
        this.counts.failures += 1;
        this.#failuresInRow += 1;
        this.#again.push(batch);
        this.#pause(delivery);
        break;
    }
    this.#send(false);
    if (this.#closing !== null && this.#isIdle()) this.#closing.done();
  }

  #pause({ reason, afterMs }: { readonly reason: string; readonly afterMs: number | null }): void {
    const { clock, log } = this.#options;
    if (this.#failuresInRow === 1)
      log.warn(`${this.name} does not take what it is told; it is kept and sent again`, { reason });
    if (this.#pauseTimer !== null) return;
    const grown = Math.min(pauseMaxMs, pauseMinMs * 2 ** Math.min(this.#failuresInRow - 1, 10));
    this.#pauseTimer = clock.setTimer(Math.min(pauseMaxMs, Math.max(grown, afterMs ?? 0)), () => {
      this.#pauseTimer = null;
      this.#send(true);
    });
  }

  #endPause(): void {
    this.#pauseTimer?.cancel();
    this.#pauseTimer = null;
  }

  #hold(bytes: number): void {
    this.#waitingBytes += bytes;
    if (this.#options.pool !== undefined) this.#options.pool.used += bytes;
  }

  #release(batch: Batch): void {
    for (const waiting of batch) {
      this.#hold(-(waiting.bytes.length + entryOverheadBytes));
      this.#slabs.release(waiting);
    }
  }

  #dropped(items: number, why: string, always = false): void {
    this.counts.dropped += items;
    const { clock, log } = this.#options;
    const now = clock.now();
    if (!always && now - this.#noticedAt < noticeMs) return;
    this.#noticedAt = now;
    log.error(`${this.name} is not told of some requests: ${why}`, { items, droppedInAll: this.counts.dropped });
  }

  #isIdle(): boolean {
    return this.#underWay.size === 0 && this.#again.length === 0 && this.#waiting.length === this.#waitingAt;
  }
}

function itemsIn(batch: readonly Encoded[]): number {
  let items = 0;
  for (const one of batch) items += one.items;
  return items;
}
