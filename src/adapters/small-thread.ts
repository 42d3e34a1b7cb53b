import { setFlagsFromString } from 'node:v8';
import { Worker, type WorkerOptions } from 'node:worker_threads';

const semiSpaceMb = 2;

/**
 * A thread whose nursery stays small: what it makes is short-lived, and a larger one would only hold on to memory. The
 * program is started with a larger one for its own thread (bin/tollgate.mjs), and such a flag beats `resourceLimits`; a
 * heap reads it when it is made, so that of the main thread is not touched.
 */
export function smallThread(module: URL, options: WorkerOptions = {}): Worker {
  setFlagsFromString(`--max-semi-space-size=${semiSpaceMb}`);
  return new Worker(module, {
    ...options,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    resourceLimits: { maxYoungGenerationSizeMb: semiSpaceMb * 3 },
  });
}
