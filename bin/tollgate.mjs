#!/usr/bin/env node
// The published entry point, plain JavaScript so that any Node can read it. Tollgate runs on Node 24 or newer:
// this process continues if it is one, hands over to one if it finds one, and says what is missing if it does not.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtEntry } from './built.mjs';

const nodeMajorMin = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const built = builtEntry(root);
const entry = built ?? join(root, 'src', 'cli.ts');

// What was compiled of the sources once is kept, so that later starts take half the time and do not load the compiler (a
// third of the memory); it is only ever read back for the same text and the same Node. What is built gains nothing by it.
const compileCache =
  process.env.NODE_COMPILE_CACHE ?? (built === null ? join(root, 'node_modules', '.cache', 'tollgate') : undefined);
// Left alone, the heap grows to several times of what is alive in it, and four threads collect it together, which costs
// a small machine more than one does. Measured in docs/performance.md; an operator's own heap flags replace all of these.
const memoryFlags = [
  '--max-semi-space-size=8',
  // A collection when the nursery is nearly full, not at four fifths of it.
  '--minor-gc-task-trigger=98',
  '--initial-old-space-size=24',
  '--heap-growing-percent=40',
  '--v8-pool-size=1',
  // What it puts among the old objects at once, by what survived while the program was starting, keeps alive whatever it
  // points to: in every second process whole requests then waited for a full collection.
  '--no-allocation-site-pretenuring',
  // Its compilations wait in a queue that has no bound: hundreds at once when load begins, each with memory of its own.
  '--no-maglev',
];
const nodeFlags = process.env.NODE_OPTIONS?.includes('semi-space-size') ? [] : memoryFlags;
const environment = {
  ...process.env,
  ...(compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache }),
  MALLOC_ARENA_MAX: process.env.MALLOC_ARENA_MAX ?? '2',
  // Else the C library keeps what the compiler of hot functions and batches of rows needed for a moment.
  MALLOC_TRIM_THRESHOLD_: process.env.MALLOC_TRIM_THRESHOLD_ ?? '131072',
  MALLOC_MMAP_THRESHOLD_: process.env.MALLOC_MMAP_THRESHOLD_ ?? '131072',
};

if (Number.parseInt(process.versions.node, 10) >= nodeMajorMin) {
  const isPrepared = nodeFlags.length === 0 || process.execArgv.some((flag) => flag.includes('semi-space-size'));
  if (!isPrepared && process.execve !== undefined && process.platform !== 'win32') {
    // The same process, begun again with the flags: they cannot be set once it runs.
    const words = [...process.execArgv, ...nodeFlags, entry, ...process.argv.slice(2)];
    process.execve(process.execPath, [process.execPath, ...words], environment);
  }
  if (compileCache !== undefined) {
    process.env.NODE_COMPILE_CACHE = compileCache;
    module.enableCompileCache(compileCache);
  }
  await import(entry);
} else {
  const node = findNode();
  if (node === undefined) {
    console.error(
      `tollgate needs Node ${nodeMajorMin} or newer and this is ${process.version}: install it from https://nodejs.org, or run \`npm install\` here (it brings a Node ${nodeMajorMin} for Linux).`,
    );
    process.exit(1);
  }
  handOver(node);
}

function findNode() {
  const pinned = [`node-${process.platform}-${process.arch}`].flatMap((name) => [
    join(root, 'node_modules', name, 'bin', 'node'),
    join(root, '..', name, 'bin', 'node'),
  ]);
  return pinned.find((path) => existsSync(path)) ?? ['node24', 'node'].find(isRecent);
}

function isRecent(command) {
  const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return Number.parseInt(stdout?.slice(1) ?? '', 10) >= nodeMajorMin;
}

function handOver(node) {
  // The open channel ends when this process dies, however it dies, so the gateway never outlives its parent unseen.
  const child = spawn(node, [...nodeFlags, entry, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...environment, TOLLGATE_HANDED_OVER: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
}
