import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program under measurement. It ends when its standard input closes or on SIGTERM. */
export class Child {
  readonly #child: ChildProcess;
  /** The last of what it wrote, for the message when it fails. */
  #output = '';

  constructor(words: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
    this.#child = spawn(process.execPath, words, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on('data', (bytes: Buffer) => {
        this.#output = (this.#output + bytes.toString()).slice(-4_000);
      });
    }
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The port in the JSON line that it prints when it listens. */
  async announcedPort(): Promise<number> {
    return await this.#until(() => /^\{.*"port":(\d+)/m.exec(this.#output)?.[1]).then(Number);
  }

  /** Waits until the address answers with a status below 500. */
  async answersAt(url: string): Promise<void> {
    await this.#until(async () => {
      const answer = await fetch(url).catch(() => undefined);
      await answer?.arrayBuffer();
      return answer !== undefined && answer.status < 500 ? true : undefined;
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const force = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await exited;
    clearTimeout(force);
  }

  async #until<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + 20_000;
    while (true) {
      const found = await look();
      if (found !== undefined) return found;
      if (this.#child.exitCode !== null) throw new Error(`ended with ${this.#child.exitCode}:\n${this.#output}`);
      if (performance.now() > deadline) throw new Error(`not ready after 20 s:\n${this.#output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
