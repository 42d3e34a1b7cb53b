import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freePort } from '../../scripts/servers/child.ts';
import { type GatewayProcess, masterKey, startGateway } from '../journeys/support/gateway-process.ts';
import { startTcpFaultProxy, type TcpFaultProxy } from '../tcp-fault/index.ts';

export interface ReplicaOptions {
  readonly folder: string;
  readonly config: string;
  /** Of the real server; the replica is given the way through its own fault proxy. */
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** How far its time of day is off. */
  readonly clockOffsetMs?: number;
}

const skewedClock = pathToFileURL(join(import.meta.dirname, 'skewed-clock.ts')).href;

/** One gateway process that may be killed, frozen, cut off from its stores, and started again on its folder and port. */
export class Replica {
  readonly port: number;
  /** Its own way to PostgreSQL and to Redis. */
  readonly toDatabase: TcpFaultProxy;
  readonly toRedis: TcpFaultProxy;
  readonly #options: ReplicaOptions;
  #config: string;
  #gateway: GatewayProcess | null = null;
  /** Also while it is starting. */
  #child: ChildProcess | null = null;
  #log = '';

  private constructor(options: ReplicaOptions, port: number, toDatabase: TcpFaultProxy, toRedis: TcpFaultProxy) {
    this.#options = options;
    this.#config = options.config;
    this.port = port;
    this.toDatabase = toDatabase;
    this.toRedis = toRedis;
    this.setClock(options.clockOffsetMs ?? 0);
  }

  static async prepare(options: ReplicaOptions): Promise<Replica> {
    const to = (url: string) => startTcpFaultProxy({ port: Number(new URL(url).port) });
    return new Replica(options, await freePort(), await to(options.databaseUrl), await to(options.redisUrl));
  }

  get isUp(): boolean {
    return this.#gateway !== null;
  }

  /** Sockets that the program has open. */
  get sockets(): number {
    const folder = `/proc/${this.#gateway?.child.pid}/fd`;
    let count = 0;
    for (const name of readdirSync(folder)) {
      try {
        if (readlinkSync(join(folder, name)).startsWith('socket:')) count += 1;
      } catch {
        // Closed in between.
      }
    }
    return count;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What all its lives wrote to standard error. */
  get log(): string {
    return this.#log + (this.#gateway?.log() ?? '');
  }

  async start(): Promise<void> {
    const { folder, databaseUrl, redisUrl } = this.#options;
    this.#gateway = await startGateway({
      config: this.#config,
      folder,
      port: this.port,
      onSpawn: (child) => {
        this.#child = child;
      },
      env: {
        DATABASE_URL: through(databaseUrl, this.toDatabase),
        REDIS_URL: through(redisUrl, this.toRedis),
        NODE_OPTIONS: `--import=${skewedClock}`,
        CHAOS_CLOCK_FILE: this.#clockFile,
      },
    });
  }

  /** Its time of day from now on, as far as the machine it runs on is concerned. */
  setClock(offsetMs: number): void {
    writeFileSync(this.#clockFile, String(Math.round(offsetMs)));
  }

  /** Written over the present one, which the gateway notices. */
  setConfig(config: string): void {
    this.#config = config;
    writeFileSync(join(this.#options.folder, 'config.yaml'), config);
  }

  get #clockFile(): string {
    return join(this.#options.folder, 'clock-offset');
  }

  async kill(): Promise<void> {
    const gateway = this.#take();
    await gateway?.kill();
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Orderly; resolves to the exit code. */
  async stop(): Promise<number | null> {
    const gateway = this.#take();
    gateway?.child.kill('SIGCONT');
    return gateway === null ? null : gateway.stop();
  }

  /** Asked to end, and left to it: `kill` or `stop` comes next. */
  terminate(): void {
    this.#gateway?.child.kill('SIGTERM');
  }

  freeze(): void {
    this.#gateway?.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#gateway?.child.kill('SIGCONT');
  }

  async heal(): Promise<void> {
    this.thaw();
    await this.toDatabase.restore();
    await this.toRedis.restore();
  }

  async close(): Promise<void> {
    await this.kill();
    await this.toDatabase.close();
    await this.toRedis.close();
  }

  /** A call of the control plane; throws what the gateway answered when it refuses. */
  async admin(path: string, body: unknown): Promise<Record<string, unknown>> {
    const answer = await fetch(this.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${masterKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  }

  #take(): GatewayProcess | null {
    const gateway = this.#gateway;
    this.#gateway = null;
    if (gateway !== null) this.#log += gateway.log();
    return gateway;
  }
}

function through(url: string, proxy: TcpFaultProxy): string {
  const way = new URL(url);
  way.port = String(proxy.port);
  return way.href;
}
