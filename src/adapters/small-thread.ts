import { setFlagsFromString } from 'node:v8';
import { Worker, type WorkerOptions } from 'node:worker_threads';

const semiSpaceMb = 2;
const oldSpaceMb = 14;

/**
 * A thread whose heap stays small: what it makes is short-lived, and a larger one would only hold on to memory. The
 * program is started with larger ones for its own thread (bin/tollgate.mjs), and such a flag beats `resourceLimits`; a
 * heap reads them when it is made, so that of the main thread is not touched. None of them is a bound: a heap that needs
 * more takes it.
 */
export function smallThread(module: URL, options: WorkerOptions = {}): Worker {
  setFlagsFromString(`--max-semi-space-size=${semiSpaceMb}`);
  setFlagsFromString(`--initial-old-space-size=${oldSpaceMb}`);
  return new Worker(module, {
    ...options,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    resourceLimits: { maxYoungGenerationSizeMb: semiSpaceMb * 3 },
  });
}
