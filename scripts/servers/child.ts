import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { ServerWords } from './guard.ts';

const outputMax = 20_000;
/** PostgreSQL, when what it was before was killed and the processes of its connections have not noticed yet. */
const heldByTheDead = /shared memory block .* is still in use/;

/** A server that ends with this program, also when this program is killed, and then its folder is deleted. */
export class ServerChild {
  readonly #guard: ChildProcess;
  #output = '';
  /** Of the server; null while it is not running. */
  pid: number | null = null;

  constructor(words: ServerWords) {
    const file = fileURLToPath(new URL('guard.ts', import.meta.url));
    this.#guard = spawn(process.execPath, [file, JSON.stringify(words)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    });
    this.#guard.stdin!.on('error', () => {});
    this.#guard.stdout!.on('data', (piece: Buffer) => {
      this.#output = (this.#output + piece.toString()).slice(-outputMax);
      for (const [, word, value] of piece.toString().matchAll(/^(started|ended) (.*)$/gm)) {
        this.pid = word === 'started' ? Number(value) : null;
      }
    });
    // The server must not keep the run alive.
    this.#guard.unref();
    for (const stream of [this.#guard.stdin, this.#guard.stdout]) (stream as unknown as { unref(): void }).unref();
  }

  /** The last lines it wrote. */
  get output(): string {
    return this.#output.split('\n').slice(-20).join('\n');
  }

  /** Starts it and repeats `attempt` until that works. Throws, with the server's last lines, after `limitMs`. */
  async start(attempt: () => Promise<void>, limitMs: number): Promise<void> {
    await this.#tell('start', () => this.pid !== null);
    const endsAt = performance.now() + limitMs;
    for (;;) {
      try {
        await attempt();
        return;
      } catch (error) {
        const isOver = performance.now() > endsAt;
        if (this.pid === null && (isOver || !heldByTheDead.test(this.#output))) {
          throw new Error(`the server ended while it was starting:\n${this.output}`);
        }
        if (isOver) throw new Error(`${(error as Error).message}\n${this.output}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (this.pid === null) await this.#tell('start', () => this.pid !== null);
      }
    }
  }

  /** Orderly: the server closes its files. Its folder stays, so that it can be started again. */
  async stop(): Promise<void> {
    if (this.pid !== null) await this.#tell('stop', () => this.pid === null);
  }

  /** As when the power goes, for this one program: nothing is closed. */
  async kill(): Promise<void> {
    if (this.pid !== null) await this.#tell('kill', () => this.pid === null);
  }

  /** Frozen: connections stay, and nothing is answered. */
  pause(): void {
    if (this.pid !== null) process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    if (this.pid !== null) process.kill(this.pid, 'SIGCONT');
  }

  /** Stops it and deletes its folder. */
  async close(): Promise<void> {
    if (this.#guard.exitCode !== null || this.#guard.signalCode !== null) return;
    const exited = once(this.#guard, 'exit');
    this.#guard.ref();
    this.#guard.stdin!.end();
    await exited;
  }

  async #tell(word: string, done: () => boolean): Promise<void> {
    this.#guard.stdin!.write(`${word}\n`);
    while (!done()) {
      if (this.#guard.exitCode !== null) throw new Error(`the guard of a test server ended:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** Free at this moment, on the loopback interface. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
