import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import type { AccountRef, Recalls } from '../../core/books.ts';
import type { PostgresAddress } from './postgres-address.ts';
import { clientConfig } from './postgres-pool.ts';

/** Channels belong to a database, and several schemas of one may hold a store each. */
const channelPrefix = 'tollgate_recalls';
/** The server takes less than 8,000 bytes. */
const payloadBytesMax = 7_900;
const reconnectMsMax = 5_000;
const aliveCheckMs = 10_000;

/** `LISTEN` and `NOTIFY` on a connection of their own, which is made again whenever it breaks. */
export class PostgresRecalls implements Recalls {
  readonly #address: PostgresAddress;
  readonly #connectTimeoutMs: number;
  readonly #channel: string;
  /** Marks what this process sent itself. */
  readonly #sender = randomUUID();
  #listener: ((account: AccountRef) => void) | null = null;
  #client: pg.Client | null = null;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #closed = false;

  constructor(address: PostgresAddress, connectTimeoutMs: number) {
    this.#address = address;
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#channel = address.schema === null ? channelPrefix : `${channelPrefix}_${shortened(address.schema)}`;
  }

  send({ key, windowStart }: AccountRef): void {
    const text = JSON.stringify([this.#sender, key, windowStart]);
    if (Buffer.byteLength(text) > payloadBytesMax) return;
    this.#client?.query('select pg_notify($1, $2)', [this.#channel, text]).catch(ignore);
  }

  listen(listener: (account: AccountRef) => void): void {
    this.#listener = listener;
    void this.#connect();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = null;
    // A server that says nothing any more must not hold up the end.
    const ending = client?.end().catch(ignore);
    await Promise.race([ending, new Promise((resolve) => setTimeout(resolve, 1_000).unref())]);
  }

  async #connect(): Promise<void> {
    const limits = {
      connectionsMax: 1,
      connectTimeoutMs: this.#connectTimeoutMs,
      statementTimeoutMs: this.#connectTimeoutMs,
    };
    const client = new pg.Client(clientConfig(this.#address, limits));
    let lost = false;
    const lose = () => {
      if (lost) return;
      lost = true;
      client.end().catch(ignore);
      if (this.#client === client) this.#client = null;
      this.#later(() => void this.#connect(), Math.min(reconnectMsMax, 100 * 2 ** this.#failures));
      this.#failures += 1;
    };
    client.on('error', lose);
    client.on('end', lose);
    client.on('notification', ({ payload }) => this.#received(payload ?? ''));
    try {
      await client.connect();
      await client.query(`listen ${client.escapeIdentifier(this.#channel)}`);
      this.#client = client;
      this.#failures = 0;
      this.#check(client, lose);
    } catch {
      lose();
    }
  }

  /** A connection that only listens would never notice that the other end is gone. */
  #check(client: pg.Client, lose: () => void): void {
    this.#later(() => {
      client.query('select 1').then(() => {
        if (this.#client === client) this.#check(client, lose);
      }, lose);
    }, aliveCheckMs);
  }

  #later(work: () => void, delayMs: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(work, delayMs);
    this.#timer.unref();
  }

  /** Anybody who may connect to the database may send. */
  #received(text: string): void {
    let written: unknown;
    try {
      written = JSON.parse(text);
    } catch {
      return;
    }
    if (!Array.isArray(written)) return;
    const [sender, key, windowStart] = written as unknown[];
    if (sender === this.#sender || typeof key !== 'string' || typeof windowStart !== 'number') return;
    this.#listener?.({ key, windowStart });
  }
}

/** A channel's name may have 63 bytes, and so may a schema's. */
function shortened(schema: string): string {
  return createHash('sha256').update(schema).digest('hex').slice(0, 16);
}

function ignore(): void {}
