import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { freshDatabase, type TestDatabase } from '../servers/index.ts';
import { selling } from './support/config-text.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* From the embedded database to PostgreSQL: migrate, copy, and go on where it stopped. */

const root = resolve(import.meta.dirname, '../..');
let upstream: FakeProvider;
let database: TestDatabase;
let folder: string;
let config: string;

beforeAll(async () => {
  upstream = await startFakeProvider();
  database = await freshDatabase();
  folder = mkdtempSync(join(tmpdir(), 'tollgate-journey-'));
  config = selling(upstream.url, { dear: 0.01 });
});

afterAll(async () => {
  await upstream?.close();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

async function tollgate(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, [join(root, 'src/cli.ts'), ...words], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', TARGET: database.url, DATABASE_URL: database.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (piece) => {
    out += piece;
  });
  child.stderr.on('data', (piece) => {
    err += piece;
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, out, err };
}

const ask = (gateway: GatewayProcess, key: string) =>
  gateway.post(
    '/v1/chat/completions',
    { model: 'dear', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] },
    key,
  );

async function spendOf(gateway: GatewayProcess, key: string): Promise<number> {
  const answer = (await (await gateway.get(`/key/info?key=${key}`)).json()) as { info: { spend: number } };
  return answer.info.spend;
}

describe('from SQLite to PostgreSQL', () => {
  let key: string;
  let spent: number;

  it('migrates an empty database once, and shows beforehand what it will do', async () => {
    const planned = await tollgate('migrate', '--dry-run', '--json');
    expect(planned.code).toBe(0);
    const plan = JSON.parse(planned.out) as { dryRun: boolean; migrations: { version: number; title: string }[] };
    expect(plan.dryRun).toBe(true);
    expect(plan.migrations.map(({ version }) => version)).toEqual(plan.migrations.map((_, index) => index + 1));
    expect(plan.migrations[0]).toMatchObject({ version: 1, title: 'first tables' });
    const done = await tollgate('migrate', '--json');
    expect(JSON.parse(done.out)).toEqual({ ...plan, dryRun: false });
    expect(planned.out + done.out).not.toContain(new URL(database.url).password);
  });

  it('copies a store whose gateway was killed', async () => {
    const gateway = await startGateway({ config, folder });
    const made = await gateway.post('/key/generate', { max_budget: 1, key_alias: 'mover' });
    key = ((await made.json()) as { key: string }).key;
    for (let turn = 0; turn < 4; turn += 1) expect((await ask(gateway, key)).status).toBe(200);
    spent = await spendOf(gateway, key);
    expect(spent).toBeGreaterThan(0);
    // Its lease is out, and the last requests may be in its journal alone.
    await gateway.kill();

    const file = join(folder, 'data', 'tollgate.db');
    const copied = await tollgate('store', 'copy', '--from', file, '--to', 'os.environ/TARGET', '--json');
    expect(copied).toMatchObject({ code: 0, err: '' });
    const report = JSON.parse(copied.out) as { rows: Record<string, number>; leased: string };
    expect(report.rows).toMatchObject({ keys: 1 });
    expect(report.rows.accounts).toBeGreaterThan(0);
  });

  it('refuses to overwrite, and does when told to', async () => {
    const file = join(folder, 'data', 'tollgate.db');
    const again = await tollgate('store', 'copy', '--from', file, '--to', 'os.environ/TARGET');
    expect(again.code).toBe(1);
    expect(again.err).toMatch(/target is not empty: it holds keys, .*--force/);
    const forced = await tollgate('store', 'copy', '--from', file, '--to', 'os.environ/TARGET', '--force');
    expect(forced).toMatchObject({ code: 0, out: expect.stringContaining('Every balance is the same') });
    expect(forced.err).toMatch(/keys: 1 of 1/);
  });

  it('goes on over PostgreSQL with every cent where it was', async () => {
    const gateway = await startGateway({ config, folder, env: { DATABASE_URL: database.url } });
    try {
      expect(await spendOf(gateway, key)).toBeCloseTo(spent, 9);
      let served = 4;
      let refused: Response | undefined;
      while (refused === undefined && served < 100) {
        const answer = await ask(gateway, key);
        if (answer.status === 200) served += 1;
        else refused = answer;
      }
      expect(refused?.status).toBe(429);
      expect(await spendOf(gateway, key)).toBeLessThanOrEqual(1);
      const billed = upstream.invoice.length;
      expect(served).toBe(billed);
    } finally {
      expect(await gateway.stop()).toBe(0);
    }
    const logged = await tollgate(
      'store',
      'copy',
      '--from',
      'os.environ/TARGET',
      '--to',
      join(folder, 'back.db'),
      '--json',
    );
    expect(logged.err).toBe('');
    const report = JSON.parse(logged.out) as {
      rows: Record<string, number>;
      spent: string;
      leased: string;
      cost: string;
    };
    expect(report.rows.usage).toBe(upstream.invoice.length + 1);
    expect(report.leased).toBe('0');
    // Only the key has an account.
    expect(report.spent).toBe(report.cost);
  });
});

describe('bad addresses', () => {
  it.each([
    ['postgresql://me:hunter2@127.0.0.1:1/x', /refuses connections/],
    ['mysql://me:hunter2@h/x', /mysql/],
  ])('%s: one sentence, exit 1, no password', async (address, message) => {
    const child = startGateway({ config, env: { DATABASE_URL: address } });
    const error = await child.then(
      () => null,
      (cause: Error) => cause,
    );
    expect(error?.message).toMatch(message);
    expect(error?.message).not.toContain('hunter2');
    expect(error?.message).not.toMatch(/\n\s+at /);
  });
});
