import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';

/*
 * What is published: the built program, installed as a package beside its dependencies, where Node runs no TypeScript.
 */
const root = resolve(import.meta.dirname, '../..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  files: string[];
  dependencies: Record<string, string>;
};

let folder: string;
let installed: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-package-'));
  const modules = join(folder, 'node_modules');
  installed = join(modules, 'tollgate');
  mkdirSync(installed, { recursive: true });
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs'), '--to', installed]);
  cpSync(join(root, 'package.json'), join(installed, 'package.json'));
  cpSync(join(root, 'bin'), join(installed, 'bin'), { recursive: true });
  for (const name of Object.keys(manifest.dependencies)) {
    mkdirSync(join(modules, name, '..'), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('holds all that it runs from', () => {
  expect(manifest.files).toEqual(expect.arrayContaining(['bin', 'dist']));
  expect(existsSync(join(installed, 'src'))).toBe(false);
});

it('knows its version and checks a configuration', () => {
  const run = (...words: string[]) =>
    execFileSync(process.execPath, [join(installed, 'bin/tollgate.mjs'), ...words], { cwd: folder, encoding: 'utf8' });
  expect(run('--version').trim()).toBe(manifest.version);
  expect(run('check-config', join(root, 'deploy/config.yaml'), '--json')).toContain('"model');
});

it('starts, and streams an answer of the demo that is counted and recorded', async () => {
  const words = [join(installed, 'bin/tollgate.mjs'), 'start', '--port', '0', '--data-folder', join(folder, 'data')];
  const gateway = spawn(process.execPath, words, {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, TOLLGATE_MASTER_KEY: 'sk-package-0123456789abcdef' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  try {
    let output = '';
    gateway.stderr.on('data', (bytes) => {
      output += bytes;
    });
    let address: string | undefined;
    for await (const line of createInterface(gateway.stdout)) {
      output += `${line}\n`;
      address = /http:\/\/[\w.]+:\d+/.exec(line)?.[0];
      if (address !== undefined) break;
    }
    if (address === undefined) throw new Error(`the package did not start:\n${output}`);
    const headers = { authorization: 'Bearer sk-package-0123456789abcdef', 'content-type': 'application/json' };
    const models = (await (await fetch(`${address}/v1/models`, { headers })).json()) as { data: { id: string }[] };
    const answer = await fetch(`${address}/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ model: models.data[0]!.id, stream: true, messages: [{ role: 'user', content: 'Hello' }] }),
    });
    expect((await answer.text()).trimEnd().endsWith('data: [DONE]')).toBe(true);
    await expect
      .poll(async () => (await fetch(`${address}/spend/logs`, { headers })).json(), { timeout: 5_000 })
      .toHaveLength(1);
  } finally {
    gateway.kill('SIGTERM');
    await once(gateway, 'exit');
  }
});

it('runs the sources beside a build that is older than they are', async () => {
  const { builtEntry } = (await import(join(root, 'bin/built.mjs'))) as { builtEntry(root: string): string | null };
  const built = builtEntry(installed);
  expect(built).toContain('cli.js');
  mkdirSync(join(installed, 'src/deep'), { recursive: true });
  cpSync(join(root, 'LICENSE'), join(installed, 'src/deep/cli.ts'));
  const later = Date.now() / 1000 + 60;
  utimesSync(join(installed, 'src/deep/cli.ts'), later, later);
  expect(builtEntry(installed)).toBeNull();
});
