import type { Encoded } from './destination.ts';

/** Shares of a batch with what stands before, between and behind them. */
export function joined(head: string, batch: readonly Encoded[], between: string, tail: string): Buffer {
  const parts: Buffer[] = [Buffer.from(head)];
  const separator = Buffer.from(between);
  for (const [index, { bytes }] of batch.entries()) {
    if (index > 0) parts.push(separator);
    parts.push(bytes);
  }
  parts.push(Buffer.from(tail));
  return Buffer.concat(parts);
}

const bodiesKept = 2;
const keptBytesMax = 4 * 1024 * 1024;

/** Memory for the bodies of one batch after another, so that no collection has to free a megabyte for each. */
export class Bodies {
  readonly #spares: Buffer[] = [];
  readonly #own = new WeakSet<ArrayBufferLike>();

  take(length: number): Buffer {
    const spare = this.#spares.pop();
    if (spare !== undefined && spare.length >= length) return spare.subarray(0, length);
    const room = Buffer.allocUnsafeSlow(Math.ceil(length / stepBytes) * stepBytes);
    this.#own.add(room.buffer);
    return room.subarray(0, length);
  }

  /** Only one that has been sent to its end; what was not taken here is left alone. */
  giveBack({ buffer }: Buffer): void {
    if (!this.#own.has(buffer) || this.#spares.length >= bodiesKept || buffer.byteLength > keptBytesMax) return;
    this.#spares.push(Buffer.from(buffer));
  }
}

const stepBytes = 256 * 1024;
