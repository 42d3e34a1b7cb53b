import { createHash } from 'node:crypto';
import type { CachedAnswer } from '../../core/ports.ts';
import { decodeAnswer, encodeAnswer } from './cached-answer.ts';

/* An answer as it lies in a file or an object: a line that says until when it is good, then as in Redis. */

const lineFeed = 0x0a;
const lineBytesMax = 20;

export function encodeKept(answer: CachedAnswer, expiresAt: number): Buffer {
  return Buffer.concat([Buffer.from(`${Math.floor(expiresAt)}\n`), encodeAnswer(answer)]);
}

/** Unix milliseconds; 0 for what is no such answer. */
export function expiryOf(stored: Buffer): number {
  const end = stored.subarray(0, lineBytesMax).indexOf(lineFeed);
  const time = end < 1 ? Number.NaN : Number(stored.toString('latin1', 0, end));
  return Number.isSafeInteger(time) ? time : 0;
}

/** undefined for what is over, or nothing of ours. */
export function decodeKept(stored: Buffer, now: number): CachedAnswer | undefined {
  return expiryOf(stored) > now ? decodeAnswer(stored.subarray(stored.indexOf(lineFeed) + 1)) : undefined;
}

/** Callers may name a part of a key (`namespace`): what becomes a name of a file is not theirs. */
export function nameOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
