import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { masterKey } from './support/gateway-process.ts';

/* What keeps the gateway from starting: one sentence that says what and what to do, exit code 1, nothing damaged. */

const root = resolve(import.meta.dirname, '../..');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tollgate-start-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `tollgate start` until it ends by itself. */
function refusedStart(words: readonly string[], uid?: number): Promise<{ code: number | null; told: string }> {
  const child = spawn(process.execPath, [join(root, 'src/cli.ts'), 'start', '--port', '0', ...words], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', TOLLGATE_MASTER_KEY: masterKey },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 20_000,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  return new Promise((done) => child.once('close', (code) => done({ code, told })));
}

async function expectRefused(words: readonly string[], sentence: RegExp, uid?: number): Promise<void> {
  const { code, told } = await refusedStart(words, uid);
  expect(told).toMatch(sentence);
  expect(code).toBe(1);
  expect(told).not.toMatch(/\.ts:\d+:\d+|node:internal|\n\s+at /);
  expect(told).not.toContain(masterKey);
}

const dataFolder = (name: string) => join(folder, name);

it('a port in use', async () => {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '0.0.0.0', done));
  const { port } = taken.address() as AddressInfo;
  try {
    await expectRefused(
      ['--port', String(port), '--data-folder', dataFolder('port')],
      new RegExp(`Port ${port} on 0\\.0\\.0\\.0 is in use by another program\\. .*--port`),
    );
  } finally {
    taken.close();
  }
});

it('a data folder below a file', async () => {
  writeFileSync(join(folder, 'file'), 'x');
  await expectRefused(
    ['--data-folder', join(folder, 'file', 'data')],
    /cannot be created or written.*permission|another folder/,
  );
});

it.runIf(process.getuid?.() === 0)('a data folder of somebody else', async () => {
  const data = dataFolder('theirs');
  mkdirSync(data, { mode: 0o755 });
  chownSync(data, 0, 0);
  chmodSync(folder, 0o755);
  await expectRefused(
    ['--data-folder', data],
    /cannot be created or written \(EACCES\)\. Give the user .* write permission/,
    65_534,
  );
});

it('a damaged database, which stays as it is', async () => {
  const data = dataFolder('damaged');
  mkdirSync(data);
  const file = join(data, 'tollgate.db');
  const bytes = Buffer.alloc(8_192, 'this is not a database ');
  writeFileSync(file, bytes);
  await expectRefused(
    ['--data-folder', data],
    /tollgate\.db is damaged or not a database .*Restore it from a backup, or move it away/,
  );
  expect(readFileSync(file).equals(bytes)).toBe(true);
});

it('a database of a newer release', async () => {
  const data = dataFolder('newer');
  mkdirSync(data);
  const database = new DatabaseSync(join(data, 'tollgate.db'));
  database.exec('create table schema_migrations (version integer primary key, applied_at bigint not null)');
  database.exec('insert into schema_migrations values (999, 0)');
  database.close();
  await expectRefused(
    ['--data-folder', data],
    /written by a newer release \(schema 999; this release knows \d+\)\. Start that release/,
  );
});

it('a configuration with a mistake', async () => {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, 'model_list: []\nrouter_settings:\n  routing_strategy: least-bussy\n');
  await expectRefused(
    ['--config', file, '--data-folder', dataFolder('config')],
    /config\.yaml:3:21 router_settings\.routing_strategy: .*did you mean least-busy\?[\s\S]*is not valid; nothing was started/,
  );
});

it('a configuration that is not there', async () => {
  await expectRefused(
    ['--config', 'nowhere.yaml', '--data-folder', dataFolder('nowhere')],
    /nowhere\.yaml .*no such file/,
  );
});
