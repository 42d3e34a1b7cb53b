import type { ByteSource } from '../../core/exchange.ts';

/** Reads an answer to its end for nobody, as a caller would: what is not read is not answered. */
export function readOut(body: ByteSource): void {
  body.start({ write: () => true, end: () => undefined, destroy: () => undefined });
}
