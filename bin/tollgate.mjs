#!/usr/bin/env node
// The published entry point, plain JavaScript so that any Node can read it. Tollgate runs on Node 24 or newer:
// this process continues if it is one, hands over to one if it finds one, and says what is missing if it does not.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const nodeMajorMin = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const compiled = join(root, 'dist', 'cli.js');
const entry = existsSync(compiled) ? compiled : join(root, 'src', 'cli.ts');

if (Number.parseInt(process.versions.node, 10) >= nodeMajorMin) {
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
  const child = spawn(node, [entry, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, TOLLGATE_HANDED_OVER: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
}
