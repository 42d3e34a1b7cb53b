import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadResult, LoadSpec } from './load.ts';

/** One load generator process for the whole run, so that it is equally warm for every target. */
export class Generator {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(fileURLToPath(new URL('load.ts', import.meta.url)), { serialization: 'advanced' });
  }

  async run(spec: LoadSpec): Promise<LoadResult> {
    return await new Promise((resolve, reject) => {
      const onExit = (code: number | null): void => reject(new Error(`the load generator ended with ${code}`));
      this.#child.once('exit', onExit);
      this.#child.once('message', (message: { result?: LoadResult; error?: string }) => {
        this.#child.off('exit', onExit);
        if (message.result === undefined) reject(new Error(message.error));
        else resolve(message.result);
      });
      this.#child.send(spec);
    });
  }

  close(): void {
    this.#child.disconnect();
  }
}
