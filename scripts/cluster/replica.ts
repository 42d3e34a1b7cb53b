import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { compileCache } from '../servers/compile-cache.ts';

const ownProgram = resolve(import.meta.dirname, '../../src/cli.ts');

export interface ReplicaOptions {
  readonly name: string;
  readonly port: number;
  readonly configFile: string;
  readonly dataFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The `cli.ts` of another checkout; by default this one's. */
  readonly program?: string | undefined;
}

export type ReplicaState = 'starting' | 'running' | 'stopping' | 'down';

/** A gateway as a process of its own, on a fixed port. */
export class Replica {
  readonly name: string;
  readonly port: number;
  state: ReplicaState = 'down';
  /** What its leases stand under in the store; null while it is not running. */
  ledgerId: string | null = null;
  readonly #options: ReplicaOptions;
  #child: ChildProcess | null = null;
  #ended: Promise<number | null> = Promise.resolve(null);
  #log = '';

  constructor(options: ReplicaOptions) {
    this.name = options.name;
    this.port = options.port;
    this.#options = options;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** The last it wrote to standard error. */
  get log(): string {
    return this.#log;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const { configFile, dataFolder, environment, port, program = ownProgram } = this.#options;
    const words = ['start', '--json', '--host', '127.0.0.1', '--port', String(port), '--config', configFile];
    const child = spawn(process.execPath, [program, ...words, '--data-folder', dataFolder], {
      env: { PATH: process.env.PATH ?? '', ...compileCache, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C is for whoever started the cluster: the replicas are stopped in order.
      detached: true,
    });
    this.#child = child;
    this.state = 'starting';
    this.#log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#log = (this.#log + text).slice(-10_000);
    });
    this.#ended = new Promise((done) =>
      child.once('exit', (code) => {
        if (this.#child === child) {
          this.#child = null;
          this.ledgerId = null;
          this.state = 'down';
        }
        done(code);
      }),
    );
    const line = await Promise.race([
      new Promise<string>((done) => createInterface({ input: child.stdout }).once('line', done)),
      this.#ended.then((code) => {
        throw new Error(`${this.name} ended with code ${code} before it was ready:\n${this.#log}`);
      }),
    ]);
    this.ledgerId = String((JSON.parse(line) as { replica?: string }).replica ?? '');
    this.state = 'running';
  }

  /** Orderly end; resolves with the exit code. */
  stop(): Promise<number | null> {
    if (this.#child !== null) this.state = 'stopping';
    this.#child?.kill('SIGTERM');
    return this.#ended;
  }

  kill(): Promise<number | null> {
    this.#child?.kill('SIGKILL');
    return this.#ended;
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }
}
