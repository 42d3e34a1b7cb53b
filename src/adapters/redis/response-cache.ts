import type { CachedAnswer, ResponseCache } from '../../core/ports.ts';
import { decodeAnswer, encodeAnswer } from './cached-answer.ts';
import { primariesOf } from './connect.ts';
import { type RedisLink, unavailable } from './link.ts';

/** Larger answers are not kept: one of them holds up everybody else's calls on the connection. */
const entryBytesMaxDefault = 2 * 1024 * 1024;
/** Bytes on their way to a Redis that has not answered yet; what comes on top is not kept. */
const pendingBytesMax = 32 * 1024 * 1024;
const scanCount = 500;
const upkeepPatienceMs = 5_000;

/** Redis is not there, which whoever asks for an upkeep of the cache must be told. */
export class CacheUnavailableError extends Error {
  constructor() {
    super('Redis does not answer; the cache is bypassed until it does.');
    this.name = 'CacheUnavailableError';
  }
}

/** Answers shared by all replicas. Without Redis everything is a miss, and nothing is written. */
export class RedisResponseCache implements ResponseCache {
  readonly type = 'redis';
  readonly #link: RedisLink;
  readonly #prefix: string;
  readonly #entryBytesMax: number;
  #pendingBytes = 0;

  constructor(link: RedisLink, entryBytesMax: number = entryBytesMaxDefault) {
    this.#link = link;
    this.#prefix = `${link.prefix}:answer:`;
    this.#entryBytesMax = entryBytesMax;
  }

  get(key: string): undefined | Promise<CachedAnswer | undefined> {
    return this.#link.isUp ? this.#read(key) : undefined;
  }

  set(key: string, answer: CachedAnswer, ttlMs: number): void {
    const bytes = answer.body.byteLength;
    const lifeMs = Math.floor(ttlMs);
    if (!this.#link.isUp || lifeMs < 1) return;
    if (bytes > this.#entryBytesMax || this.#pendingBytes + bytes > pendingBytesMax) return;
    this.#pendingBytes += bytes;
    const done = () => {
      this.#pendingBytes -= bytes;
    };
    void this.#link.call((client) => {
      const written = client.set(this.#prefix + key, encodeAnswer(answer), 'PX', lifeMs);
      written.then(done, done);
      return written;
    });
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.#unlink(keys.map((key) => this.#prefix + key));
  }

  /** Only our own keys, a few at a time: others may live in the same Redis. */
  async clear(): Promise<void> {
    for (const node of primariesOf(this.#link.client)) {
      let cursor = '0';
      do {
        const page = await this.#link.callPatiently(
          () => node.scan(cursor, 'MATCH', `${escaped(this.#prefix)}*`, 'COUNT', scanCount),
          upkeepPatienceMs,
        );
        if (page === unavailable) throw new CacheUnavailableError();
        cursor = page[0];
        await this.#unlink(page[1]);
      } while (cursor !== '0');
    }
  }

  /** The server's own figures (`INFO`), name → value; of the first node of a cluster. */
  async facts(): Promise<Readonly<Record<string, string>>> {
    const text = await this.#link.callPatiently(() => primariesOf(this.#link.client)[0]!.info(), upkeepPatienceMs);
    if (text === unavailable) throw new CacheUnavailableError();
    return Object.fromEntries(
      [...text.matchAll(/^([a-z0-9_]+):(.*?)\r?$/gm)].map(([, name, value]) => [name!, value!]),
    );
  }

  /** One by one, for in a cluster they lie on several servers; they leave together all the same. */
  async #unlink(keys: readonly string[]): Promise<void> {
    const removals = keys.map((key) => this.#link.callPatiently((client) => client.unlink(key), upkeepPatienceMs));
    if ((await Promise.all(removals)).includes(unavailable)) throw new CacheUnavailableError();
  }

  async #read(key: string): Promise<CachedAnswer | undefined> {
    const stored = await this.#link.call((client) => client.getBuffer(this.#prefix + key));
    return stored === unavailable || stored === null ? undefined : decodeAnswer(stored);
  }
}

/** The prefix is the operator's word, not a pattern. */
function escaped(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}
