import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

/*
 * Every command of the README, run as it is written: in a folder of its own that holds the repository, with the port changed
 * to a free one. Installing and testing are left to CI, which does both with the README's own line.
 */
const root = resolve(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = [...readme.matchAll(/```(sh|yaml)\n([\s\S]*?)```/g)].map(([, kind = '', text = '']) => ({
  kind,
  text: text.trim(),
}));
const shell = blocks.filter(({ kind }) => kind === 'sh').map(({ text }) => text);

let folder: string;
let port: number;
let running: ChildProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-readme-'));
  for (const name of ['package.json', 'bin', 'scripts', 'src', 'bench', 'node_modules', 'tsconfig.json']) {
    symlinkSync(join(root, name), join(folder, name));
  }
  cpSync(join(root, '.npmrc'), join(folder, '.npmrc'));
  port = await freePort();
  running = await start('npm start');
});

afterAll(async () => {
  await stop(running);
  rmSync(folder, { recursive: true, force: true });
});

it('has the two commands, and CI runs the second as it stands', () => {
  expect(shell[0]).toBe('npm ci && npm start');
  expect(shell[1]).toBe('npm ci && npm test');
  expect(readFileSync(join(root, '.ci/run'), 'utf8')).toContain(shell[1]);
});

it('streams the first answer', async () => {
  const { stdout } = await run(block('curl -N'));
  expect(stdout).toMatch(/^data: \{/m);
  expect(stdout.trimEnd().endsWith('data: [DONE]')).toBe(true);
});

it('shows a failover', async () => {
  const { stdout } = await run(block('/down'));
  expect(stdout).toContain('x-litellm-attempted-fallbacks: 1');
  expect(stdout).toContain('"model":"gpt-4o-mini"');
});

it('makes a key with a budget and lists it', async () => {
  const { stdout } = await run(block('keys create'));
  expect(stdout).toMatch(/sk-[\w-]{40,}/);
  expect(stdout).toMatch(/my-app.*5/);
});

it('checks the configuration it shows and starts with it', async () => {
  const yaml = blocks.find(({ kind }) => kind === 'yaml')?.text ?? '';
  writeFileSync(join(folder, 'config.yaml'), yaml);
  const [check, startLine] = block('check-config').split('\n');
  const { stdout } = await run(check ?? '');
  expect(stdout).toContain('config.yaml is valid');
  expect(stdout).toMatch(/llama-4-scout.*gpt-4o-mini/);
  await stop(running);
  running = await start(startLine ?? '');
  const models = await run(`curl -s http://localhost:4000/v1/models -H "Authorization: Bearer $(cat data/master-key)"`);
  expect(JSON.parse(models.stdout).data.map((model: { id: string }) => model.id)).toEqual([
    'llama-4-scout',
    'gpt-4o-mini',
  ]);
});

it('names only commands and files that exist', async () => {
  expect((await run('npm run -s bench -- --help')).stdout).toContain('npm run bench -- [options]');
  for (const [, target = ''] of readme.matchAll(/\]\(([\w/.-]+)\)/g)) {
    expect(() => readFileSync(join(root, target)), target).not.toThrow(/ENOENT/);
  }
});

function block(part: string): string {
  const found = shell.find((text) => text.includes(part));
  if (found === undefined) throw new Error(`the README has no command with ${part}`);
  return found;
}

function here(command: string): string {
  return command.replaceAll('localhost:4000', `localhost:${port}`).replace('--port 4000', `--port ${port}`);
}

function environment(): NodeJS.ProcessEnv {
  const { TOLLGATE_MASTER_KEY: _a, LITELLM_MASTER_KEY: _b, ...rest } = process.env;
  return { ...rest, PORT: String(port), TOLLGATE_URL: `http://localhost:${port}`, OPENAI_API_KEY: 'sk-not-used' };
}

function run(command: string): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)('bash', ['-ec', here(command)], { cwd: folder, env: environment() });
}

async function start(command: string): Promise<ChildProcess> {
  // A group of its own, so that npm and what npm started end together.
  const child = spawn('bash', ['-c', here(command)], { cwd: folder, env: environment(), detached: true });
  let output = '';
  await new Promise<void>((done, fail) => {
    const read = (text: Buffer) => {
      output += text.toString();
      if (output.includes('listens on')) done();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => fail(new Error(`${command} ended with code ${code}:\n${output}`)));
  });
  return child;
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child?.pid === undefined || child.exitCode !== null) return;
  const ended = new Promise((done) => child.once('exit', done));
  process.kill(-child.pid, 'SIGTERM');
  await ended;
  // npm may end before the gateway has let go of its port.
  while (await answers()) await new Promise((done) => setTimeout(done, 50));
}

async function answers(): Promise<boolean> {
  return fetch(`http://localhost:${port}/health/liveliness`).then(
    () => true,
    () => false,
  );
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
