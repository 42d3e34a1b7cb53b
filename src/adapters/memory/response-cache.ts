import { LRUCache } from 'lru-cache';
import type { CachedAnswer, Clock, ResponseCache } from '../../core/ports.ts';

/** What an entry costs beside its body: key, object, bookkeeping. */
const entryOverheadBytes = 512;

interface Entry {
  readonly answer: CachedAnswer;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/** Answers in this process's memory: bounded in bytes, the least recently used leaves first. */
export function memoryResponseCache(bytesMax: number, clock: Clock): ResponseCache {
  const entries = new LRUCache<string, Entry>({
    maxSize: bytesMax,
    // One giant answer must not empty the cache.
    maxEntrySize: Math.max(1, Math.floor(bytesMax / 4)),
    sizeCalculation: ({ answer }, key) => answer.body.byteLength + key.length + entryOverheadBytes,
  });
  return {
    type: 'memory',
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (entry.expiresAt > clock.now()) return entry.answer;
      entries.delete(key);
      return undefined;
    },
    set(key, answer, ttlMs) {
      // The body may be a view into a larger network buffer, which the cache must not keep alive.
      const own = answer.body.byteLength === answer.body.buffer.byteLength ? answer.body : Uint8Array.from(answer.body);
      entries.set(key, { answer: { ...answer, body: own }, expiresAt: clock.now() + ttlMs });
    },
    async delete(keys) {
      for (const key of keys) entries.delete(key);
    },
    async clear() {
      entries.clear();
    },
  };
}
