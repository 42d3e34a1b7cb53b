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
