import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

/*
 * Stands between a test run and one server: starts and stops the server as it is told, and when the run ends, in
 * whatever way, stops it and deletes its folder. The run holds the other end of standard input; its end is the run's.
 *
 * Argument: JSON of `ServerWords`. Standard input: lines `start`, `stop`, `kill`. Standard output: lines
 * `started PID` and `ended WHY`, between what the server writes.
 */

export interface ServerWords {
  readonly program: string;
  readonly words: readonly string[];
  readonly cwd: string;
  /** Deleted at the end. */
  readonly folder: string;
  /** Account to run under. */
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly environment?: Readonly<Record<string, string>>;
}

const stopWithinMs = 5_000;

const { program, words, cwd, folder, user, environment } = JSON.parse(process.argv[2]!) as ServerWords;
let server: ChildProcess | null = null;
let leaving = false;

// Whoever interrupts the run from a terminal interrupts its whole group; the guard leaves when its input ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
// The run is gone and nobody reads any more.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line === 'start') start();
    if (line === 'stop') stop();
    if (line === 'kill') server?.kill('SIGKILL');
  })
  .on('close', () => {
    leaving = true;
    stop();
  });

function start(): void {
  if (server?.pid !== undefined) {
    // A second one would fail on the first one's files, and nobody would stop the first.
    console.log(`\nstarted ${server.pid}`);
    return;
  }
  const started = spawn(program, [...words], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
    ...user,
  });
  server = started;
  for (const stream of [started.stdout!, started.stderr!]) stream.on('data', (piece) => process.stdout.write(piece));
  started.once('error', (error) => ended(error.message));
  started.once('exit', (code, signal) => ended(String(signal ?? code)));
  if (started.pid !== undefined) console.log(`\nstarted ${started.pid}`);
}

/** SIGINT: PostgreSQL's fast shutdown and Redis' orderly one. */
function stop(): void {
  const stopping = server;
  if (stopping === null) {
    ended('not running');
    return;
  }
  stopping.kill('SIGINT');
  setTimeout(() => stopping.kill('SIGKILL'), stopWithinMs).unref();
}

function ended(why: string): void {
  server = null;
  if (leaving) {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    process.exit(0);
  }
  console.log(`\nended ${why}`);
}
