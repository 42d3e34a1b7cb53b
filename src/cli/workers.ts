import cluster, { type Worker } from 'node:cluster';
import type { Clock } from '../core/ports.ts';

/** What workers and the process above them tell each other. */
export type WorkerMessage = { readonly tollgate: 'ready'; readonly announcement: string };
export type PrimaryMessage = { readonly tollgate: 'stop' | 'reload' };

/** A worker that dies younger than this is replaced only after a pause. */
const youngMs = 5_000;
const pauseMs = 1_000;

/**
 * Runs `count` copies of this program on one port and stays above them: one that dies is replaced, and signals go to all.
 * Resolves to the exit code when all have ended. The first one starts alone, so that it can make what all need.
 */
export async function superviseWorkers(count: number, clock: Clock): Promise<number> {
  const workers = new Set<Worker>();
  /** Those that have come so far as to hear what they are told. */
  const listening = new Set<Worker>();
  const all = Promise.withResolvers<number>();
  let isStopping = false;
  let exitCode = 0;
  // While the last worker is gone and the next one not there, nothing else keeps this process running.
  const alive = new MessageChannel();
  alive.port1.ref();

  const start = (): Promise<string> => {
    const worker = cluster.fork();
    const startedTick = clock.tick();
    const ready = Promise.withResolvers<string>();
    workers.add(worker);
    worker.on('message', (message: WorkerMessage) => {
      if (message?.tollgate !== 'ready') return;
      listening.add(worker);
      ready.resolve(message.announcement);
      if (isStopping) worker.send({ tollgate: 'stop' } satisfies PrimaryMessage);
    });
    worker.on('exit', (code, signal) => {
      workers.delete(worker);
      const served = listening.delete(worker);
      ready.reject(new Error(`a worker ended before it was ready (${signal ?? code})`));
      if (isStopping) {
        if (code !== 0 && served) exitCode = 1;
        if (workers.size === 0) all.resolve(exitCode);
        return;
      }
      console.error(`tollgate: worker ${worker.process.pid} ended (${signal ?? code}); another one takes its place`);
      const again = () => {
        if (!isStopping) start().catch(ignore);
      };
      if (clock.tick() - startedTick < youngMs) clock.setTimer(pauseMs, again);
      else again();
    });
    return ready.promise;
  };

  const tell = (message: PrimaryMessage) => {
    for (const worker of listening) if (worker.isConnected()) worker.send(message);
  };
  const stop = () => {
    if (isStopping) {
      // A second signal means now.
      for (const worker of workers) worker.process.kill('SIGKILL');
      process.exit(130);
    }
    isStopping = true;
    if (workers.size === 0) all.resolve(exitCode);
    for (const worker of workers) if (!listening.has(worker)) worker.process.kill('SIGTERM');
    tell({ tollgate: 'stop' });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => tell({ tollgate: 'reload' }));
  if (process.connected) process.on('disconnect', stop);

  try {
    const announcement = await start();
    await Promise.all(Array.from({ length: count - 1 }, start));
    console.log(announcement);
  } catch (cause) {
    if (!isStopping) {
      isStopping = true;
      exitCode = 1;
      console.error(`tollgate: ${(cause as Error).message}`);
      tell({ tollgate: 'stop' });
      if (workers.size === 0) all.resolve(exitCode);
    }
  }
  return all.promise;
}

/** In a worker: obeys the process above; a signal meant for the whole group is that one's to pass on. */
export function obeyPrimary(stop: () => void, reload: () => void): void {
  process.on('SIGINT', ignore);
  process.on('SIGTERM', stop);
  process.on('message', (message: PrimaryMessage) => {
    if (message?.tollgate === 'stop') stop();
    if (message?.tollgate === 'reload') reload();
  });
}

export function tellReady(announcement: string): void {
  const message: WorkerMessage = { tollgate: 'ready', announcement };
  process.send?.(message);
}

function ignore(): void {}
