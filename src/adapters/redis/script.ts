import { createHash } from 'node:crypto';
import { primariesOf, type RedisClient } from './connect.ts';

/** A Lua script, sent in full only to servers that do not know it yet. */
export class Script {
  readonly #text: string;
  readonly #digest: string;

  constructor(text: string) {
    this.#text = text;
    this.#digest = createHash('sha1').update(text).digest('hex');
  }

  /** Makes every server know it, so that the first use is like any other. */
  async load(client: RedisClient): Promise<void> {
    await Promise.all(primariesOf(client).map((server) => server.script('LOAD', this.#text)));
  }

  /** Arguments beyond the keys are handed over as they are; the answer is what the script returns. */
  async run(client: RedisClient, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown> {
    try {
      return await client.evalsha(this.#digest, keys.length, ...keys, ...values);
    } catch (cause) {
      // A server that was started anew, or took the place of another.
      if (!(cause instanceof Error) || !cause.message.startsWith('NOSCRIPT')) throw cause;
      await this.load(client);
      return client.evalsha(this.#digest, keys.length, ...keys, ...values);
    }
  }
}
