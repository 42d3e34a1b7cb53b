import type { PoolClient, PoolConfig } from 'pg';
import pg from 'pg';
import { StoreError } from '../../core/store.ts';
import type { PostgresAddress } from './postgres-address.ts';
import { LostConnectionError, postgresError } from './postgres-error.ts';
import type { PostgresGate } from './postgres-gate.ts';

export interface PoolLimits {
  readonly connectionsMax: number;
  /** For the TCP connection, TLS and sign-in together. */
  readonly connectTimeoutMs: number;
  /** The server ends a statement that takes longer; 0 = never. */
  readonly statementTimeoutMs: number;
}

/** A caller that waits for a connection is refused after this long when nothing shows that the server is alive. */
const refusalMs = 250;
/** A caller waits this long when the server is alive and all connections are at work. */
const queueMs = 5_000;
/** No answer for this long beyond the server's own limit: the server, or the way to it, is gone. */
const silenceMs = 1_000;
const aliveMs = 1_000;
const idleMs = 300_000;
/** The server ends a transaction in which nothing happens for so long. */
const abandonedMs = 2_000;
const closeMs = 5_000;

const bigint = 20;
const parsers = {
  /** BIGINT as a number where it is exact; whoever reads a larger figure finds text and says so. */
  getTypeParser: (type: number, format?: 'text' | 'binary') => {
    if (type !== bigint) return pg.types.getTypeParser(type, format as 'text');
    return (text: string) => {
      const number = Number(text);
      return Number.isSafeInteger(number) ? number : text;
    };
  },
};

export function clientConfig(address: PostgresAddress, limits: PoolLimits): PoolConfig {
  const { host, port, user, password, database, tls, schema, pooled } = address;
  const { connectTimeoutMs, statementTimeoutMs } = limits;
  const settings: string[] = [];
  // Over millions of rows the planner starts processes to find a page of fifty, which takes twenty times as long.
  if (!pooled) settings.push('-c max_parallel_workers_per_gather=0');
  if (schema !== null) settings.push(`-c search_path=${quoted(schema)}`);
  return {
    host,
    port,
    user,
    // A function, so that nobody who prints the settings prints the password; '' keeps `pg` from its own sources.
    password: () => password ?? '',
    database,
    ssl: tls,
    types: parsers as NonNullable<PoolConfig['types']>,
    application_name: 'tollgate',
    keepAlive: true,
    connectionTimeoutMillis: connectTimeoutMs,
    ...(statementTimeoutMs > 0 ? { query_timeout: statementTimeoutMs + silenceMs } : {}),
    ...(statementTimeoutMs > 0 && !pooled ? { statement_timeout: statementTimeoutMs } : {}),
    // A replica that is stopped or cut off in the middle must not hold the rows of its accounts.
    ...(statementTimeoutMs > 0 && !pooled ? { idle_in_transaction_session_timeout: abandonedMs } : {}),
    ...(settings.length === 0 ? {} : { options: settings.join(' ') }),
  };
}

/** As an identifier inside the `options` of a connection, where a backslash protects spaces and itself. */
function quoted(schema: string): string {
  return `"${schema.replaceAll('"', '""')}"`.replace(/[\\\s]/g, '\\$&');
}

/** Connections to one server, with limits on how long anybody waits for one. */
export class PostgresPool {
  readonly label: string;
  readonly #pool: pg.Pool;
  readonly #gate: PostgresGate;
  readonly #connectionsMax: number;
  /** Until then a server that says nothing yet may be a busy machine at the first connection. */
  readonly #beginsUntil: number;
  /** How to end the statements that are under way. */
  readonly #underway = new Set<(fault: StoreError) => void>();
  #watch: NodeJS.Timeout | undefined;
  #connected = 0;
  #closing: Promise<void> | null = null;

  constructor(address: PostgresAddress, limits: PoolLimits, gate: PostgresGate) {
    this.label = address.label;
    this.#gate = gate;
    this.#connectionsMax = limits.connectionsMax;
    this.#beginsUntil = performance.now() + limits.connectTimeoutMs;
    this.#pool = new pg.Pool({
      ...clientConfig(address, limits),
      max: limits.connectionsMax,
      idleTimeoutMillis: idleMs,
      allowExitOnIdle: true,
    });
    gate.onShut((fault) => {
      for (const end of this.#underway) end(fault);
    });
    // A connection that breaks while nobody uses it is replaced by the pool; whoever uses it gets the error itself.
    this.#pool.on('error', () => {});
    this.#pool.on('connect', (client) => {
      this.#connected += 1;
      client.on('error', () => {});
    });
    this.#pool.on('remove', () => {
      this.#connected -= 1;
    });
  }

  /** Throws StoreError: at once while the server is known to be down, else after `refusalMs` of silence. */
  async acquire(): Promise<PoolClient> {
    if (this.#closing !== null) throw new StoreError('closed', 'The store is closed.');
    if (this.#gate.fault !== null) throw this.#gate.fault;
    const connecting = this.#pool.connect();
    if (this.#pool.idleCount > 0) return this.#reported(connecting);
    return this.#patiently(connecting);
  }

  /** The answer to a statement; rejects when the server turns out to be gone before it comes. */
  async answer<Answer>(statement: Promise<Answer>): Promise<Answer> {
    this.#watch ??= setTimeout(() => this.#look(), aliveMs).unref();
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#underway.add(reject);
    statement.then(resolve, reject);
    try {
      return await promise;
    } finally {
      this.#underway.delete(reject);
    }
  }

  /** Statements that take long are one thing, a server that says nothing to anybody is another. */
  #look(): void {
    this.#watch = undefined;
    if (this.#underway.size === 0 || this.#closing !== null) return;
    this.#watch = setTimeout(() => this.#look(), refusalMs).unref();
    if (this.#gate.silentForMs() < aliveMs) return;
    this.#gate.suspect(new LostConnectionError(`The database ${this.label} does not answer.`, undefined));
  }

  /** Notes an answer, or that there was none. Returns the error to be thrown. */
  answered(cause?: unknown): Error | null {
    if (cause === undefined) {
      this.#gate.alive();
      return null;
    }
    const error = postgresError(cause, this.label);
    if (!(error instanceof LostConnectionError)) this.#gate.alive();
    return error;
  }

  /** Lets what is under way finish, but does not wait for a server that says nothing any more. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      const timer = setTimeout(resolve, closeMs);
      void this.#pool.end().finally(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    return this.#closing;
  }

  async #reported(connecting: Promise<PoolClient>): Promise<PoolClient> {
    try {
      const client = await connecting;
      this.#gate.alive();
      return client;
    } catch (cause) {
      const error = postgresError(cause, this.label);
      if (this.#closing === null && error instanceof LostConnectionError) this.#gate.shut(error);
      throw error;
    }
  }

  #patiently(connecting: Promise<PoolClient>): Promise<PoolClient> {
    return new Promise((resolve, reject) => {
      const startedAt = performance.now();
      let given = false;
      const refuse = () => {
        const waitedMs = performance.now() - startedAt;
        // While statements are under way the gate finds out whether there is still somebody at work on them.
        const isBusy = this.#underway.size > 0 || performance.now() < this.#beginsUntil;
        const alive = this.#gate.fault === null && (isBusy || this.#gate.silentForMs() < aliveMs);
        const queued = this.#connected >= this.#connectionsMax;
        if (alive && waitedMs < queueMs) {
          timer = setTimeout(refuse, refusalMs);
          return;
        }
        given = true;
        const why = queued && alive ? 'has all its connections at work' : 'does not answer';
        reject(new LostConnectionError(`The database ${this.label} ${why}.`, undefined));
      };
      let timer = setTimeout(refuse, refusalMs);
      this.#reported(connecting).then(
        (client) => {
          clearTimeout(timer);
          if (given) client.release();
          else resolve(client);
        },
        (error) => {
          clearTimeout(timer);
          reject(error);
        },
      );
    });
  }
}
