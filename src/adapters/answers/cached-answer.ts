import type { CachedAnswer } from '../../core/ports.ts';

/*
 * An answer as it lies in Redis: one line of JSON, then the bytes of the body. Anybody may have written there, so that
 * everything is checked; what is not exactly such an answer is none.
 */

const format = 'tollgate-answer-1';
const headBytesMax = 4_096;
const lineFeed = 0x0a;

export function encodeAnswer({ body, dialect, modelUsed, storedAt }: CachedAnswer): Buffer {
  const head = JSON.stringify({ format, dialect, modelUsed, storedAt, bytes: body.byteLength });
  return Buffer.concat([Buffer.from(`${head}\n`), body]);
}

export function decodeAnswer(stored: Buffer): CachedAnswer | undefined {
  const end = stored.subarray(0, headBytesMax).indexOf(lineFeed);
  if (end === -1) return undefined;
  let head: unknown;
  try {
    head = JSON.parse(stored.toString('utf8', 0, end));
  } catch {
    return undefined;
  }
  if (typeof head !== 'object' || head === null) return undefined;
  const { format: written, dialect, modelUsed, storedAt, bytes } = head as Record<string, unknown>;
  const body = stored.subarray(end + 1);
  if (written !== format || typeof dialect !== 'string' || bytes !== body.byteLength) return undefined;
  if (typeof storedAt !== 'number' || !Number.isSafeInteger(storedAt)) return undefined;
  if (modelUsed !== null && typeof modelUsed !== 'string') return undefined;
  return { body, dialect, modelUsed, storedAt };
}
