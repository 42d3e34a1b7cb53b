import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { RedisClient } from './connect.ts';

/** A Lua script, sent in full only to a server that does not know it yet. */
export class Script {
  readonly #text: string;
  readonly #digest: string;

  constructor(text: string) {
    this.#text = text;
    this.#digest = createHash('sha1').update(text).digest('hex');
  }

  /** Makes a server know it, so that the first use is like any other. */
  async load(server: Redis): Promise<void> {
    await server.script('LOAD', this.#text);
  }

  /** Arguments beyond the keys are handed over as they are; the answer is what the script returns. */
  async run(client: RedisClient, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown> {
    try {
      return await client.evalsha(this.#digest, keys.length, ...keys, ...values);
    } catch (cause) {
      if (!(cause instanceof Error) || !cause.message.startsWith('NOSCRIPT')) throw cause;
      return client.eval(this.#text, keys.length, ...keys, ...values);
    }
  }
}
