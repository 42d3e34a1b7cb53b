import { GatewayError } from '../../core/errors.ts';
import type { CachedAnswer, Clock, Log, ResponseCache } from '../../core/ports.ts';
import type { PostAnswer } from '../sinks/post.ts';
import { decodeKept, encodeKept, nameOf } from './kept-answer.ts';

/** A bucket: what is done with one object, and which there are. A text says why there is no answer. */
export interface Bucket {
  readonly kind: string;
  read(name: string): Promise<PostAnswer | string>;
  write(name: string, bytes: Buffer): Promise<PostAnswer | string>;
  remove(name: string): Promise<PostAnswer | string>;
  /** Some of them, up to a thousand; null when they cannot be told. */
  list(): Promise<readonly string[] | null>;
}

const pendingBytesMax = 32 * 1024 * 1024;
const entryBytesMax = 16 * 1024 * 1024;
/** So many failures in a row, and it is left alone for a while: nobody waits for a store that is not there. */
const failuresMax = 5;
const restMs = 10_000;

/** Answers as objects of a bucket. One that cannot be reached is a miss. Objects that are over stay until the bucket's own rules remove them. */
export class ObjectAnswers implements ResponseCache {
  readonly type: string;
  readonly #bucket: Bucket;
  readonly #clock: Clock;
  readonly #log: Log;
  #pendingBytes = 0;
  #failures = 0;
  #restsUntil = 0;

  constructor(bucket: Bucket, clock: Clock, log: Log) {
    this.type = bucket.kind;
    this.#bucket = bucket;
    this.#clock = clock;
    this.#log = log;
  }

  async get(key: string): Promise<CachedAnswer | undefined> {
    if (this.#rests()) return undefined;
    const answer = await this.#bucket.read(nameOf(key));
    if (!this.#heard(answer) || answer.status !== 200) return undefined;
    return decodeKept(answer.body, this.#clock.now());
  }

  set(key: string, answer: CachedAnswer, ttlMs: number): void {
    const size = answer.body.byteLength;
    if (ttlMs < 1 || size > entryBytesMax || this.#pendingBytes + size > pendingBytesMax || this.#rests()) return;
    this.#pendingBytes += size;
    void this.#bucket.write(nameOf(key), encodeKept(answer, this.#clock.now() + ttlMs)).then((told) => {
      this.#pendingBytes -= size;
      this.#heard(told);
    });
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#remove(nameOf(key));
  }

  async clear(): Promise<void> {
    for (;;) {
      const names = await this.#bucket.list();
      if (names === null) throw notThere();
      if (names.length === 0) return;
      for (const name of names) await this.#remove(name);
    }
  }

  async #remove(name: string): Promise<void> {
    const answer = await this.#bucket.remove(name);
    if (typeof answer === 'string' || (answer.status >= 300 && answer.status !== 404)) throw notThere();
  }

  #rests(): boolean {
    return this.#restsUntil > this.#clock.tick();
  }

  /** Whether it was there; that an object is not, is an answer. */
  #heard(answer: PostAnswer | string): answer is PostAnswer {
    const isWell = typeof answer !== 'string' && (answer.status < 300 || answer.status === 404);
    if (isWell) {
      this.#failures = 0;
      return true;
    }
    this.#failures += 1;
    if (this.#failures === failuresMax) {
      const reason = typeof answer === 'string' ? answer : `answered ${answer.status}`;
      this.#log.warn('the store of cached answers does not answer as it should', { store: this.type, reason });
    }
    if (this.#failures >= failuresMax) this.#restsUntil = this.#clock.tick() + restMs;
    return false;
  }
}

function notThere(): GatewayError {
  return new GatewayError('overloaded', 'The store of cached answers does not answer.');
}
