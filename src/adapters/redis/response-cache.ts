import { GatewayError } from '../../core/errors.ts';
import type { CachedAnswer, CacheServerFacts, ResponseCache } from '../../core/ports.ts';
import { decodeAnswer, encodeAnswer } from '../answers/cached-answer.ts';
import { primariesOf } from './connect.ts';
import { type RedisLink, unavailable } from './link.ts';

/** Larger answers are not kept: one of them holds up everybody else's calls on the connection. */
const entryBytesMaxDefault = 2 * 1024 * 1024;
/** Bytes on their way to a Redis that has not answered yet; what comes on top is not kept. */
const pendingBytesMax = 32 * 1024 * 1024;
const scanCount = 500;
const upkeepPatienceMs = 5_000;

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
        if (page === unavailable) throw notThere();
        cursor = page[0];
        await this.#unlink(page[1]);
      } while (cursor !== '0');
    }
  }

  async serverFacts(): Promise<CacheServerFacts> {
    const server = primariesOf(this.#link.client)[0];
    if (server === undefined) throw notThere();
    const answers = await this.#link.callPatiently(
      () => Promise.all([server.info(), server.client('LIST')]),
      upkeepPatienceMs,
    );
    if (answers === unavailable) throw notThere();
    const [info, clients] = answers;
    return {
      info: Object.fromEntries([...info.matchAll(/^([a-z0-9_]+):(.*?)\r?$/gm)].map(([, name, value]) => [name, value])),
      clients: String(clients)
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => Object.fromEntries([...line.matchAll(/(\S+?)=(\S*)/g)].map(([, name, value]) => [name, value]))),
    };
  }

  /** One by one, for in a cluster they lie on several servers; they leave together all the same. */
  async #unlink(keys: readonly string[]): Promise<void> {
    const removals = keys.map((key) => this.#link.callPatiently((client) => client.unlink(key), upkeepPatienceMs));
    if ((await Promise.all(removals)).includes(unavailable)) throw notThere();
  }

  async #read(key: string): Promise<CachedAnswer | undefined> {
    const stored = await this.#link.call((client) => client.getBuffer(this.#prefix + key));
    return stored === unavailable || stored === null ? undefined : decodeAnswer(stored);
  }
}

/** For whoever asks for an upkeep of the cache; requests go on without it. */
function notThere(): GatewayError {
  return new GatewayError('overloaded', 'Redis does not answer; the cache is bypassed until it does.');
}

/** The prefix is the operator's word, not a pattern. */
function escaped(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}
