import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { freshDatabase, type TestDatabase } from '../servers/index.ts';
import { startTcpFaultProxy, type TcpFaultProxy } from '../tcp-fault/index.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* PostgreSQL fails over to a standby that lacks the last commits. */
let upstream: FakeProvider;
let database: TestDatabase;
let proxy: TcpFaultProxy;
let gateway: GatewayProcess;
let viaProxy: string;

beforeAll(async () => {
  upstream = await startFakeProvider({ default: { text: 'word '.repeat(50) } });
  database = await freshDatabase();
  const url = new URL(database.url);
  proxy = await startTcpFaultProxy({ port: Number(url.port) });
  url.port = String(proxy.port);
  viaProxy = url.href;
  gateway = await startGateway({
    env: { DATABASE_URL: viaProxy },
    config: `
model_list:
  - model_name: m
    litellm_params: { model: openai/m, api_base: "${upstream.url}/v1", api_key: none, input_cost_per_token: 0, output_cost_per_token: 0.1 }
`,
  });
});

afterAll(async () => {
  await gateway?.kill();
  await proxy?.close();
  await upstream?.close();
  await database?.drop();
});

async function inServer<Result>(work: (client: pg.Client, name: string) => Promise<Result>): Promise<Result> {
  const url = new URL(database.url);
  const name = url.pathname.slice(1);
  url.pathname = '/postgres';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    return await work(client, name);
  } finally {
    await client.end();
  }
}

/** While nobody is connected. */
async function alone(work: (client: pg.Client, name: string) => Promise<unknown>): Promise<void> {
  await proxy.refuse();
  await inServer(async (client, name) => {
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
    await work(client, name);
  });
  await proxy.restore();
}

async function recorded(): Promise<number> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query(`select count(*)::int as count from usage where status = 'success'`);
  await client.end();
  return rows[0].count as number;
}

async function buy(key: string): Promise<number> {
  const body = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'Go on' }] };
  const answer = await gateway.post('/v1/chat/completions', body, key);
  await answer.text();
  return answer.status;
}

async function sold(key: string, times: number): Promise<void> {
  for (let time = 0; time < times; time++) await expect.poll(() => buy(key), { timeout: 15_000 }).toBe(200);
}

it('goes on without a restart; what the standby lacks is missing, nothing else, and the books balance', async () => {
  const made = await gateway.post('/key/generate', { max_budget: 30 });
  const { key } = (await made.json()) as { key: string };
  await sold(key, 2);
  await expect.poll(recorded, { timeout: 10_000 }).toBe(2);
  await alone((client, name) => client.query(`create database ${name}_standby template ${name}`));
  await sold(key, 3);
  await expect.poll(recorded, { timeout: 15_000 }).toBe(5);
  await alone(async (client, name) => {
    await client.query(`drop database ${name}`);
    await client.query(`alter database ${name}_standby rename to ${name}`);
  });
  await sold(key, 4);
  await expect.poll(recorded, { timeout: 15_000 }).toBe(6);
  // The cap counts what the books know: the three that were lost are sold once more, and no fourth.
  let more = 0;
  while ((await buy(key)) === 200) more += 1;
  expect(2 + 4 + more).toBe(30);
  expect(await gateway.stop()).toBe(0);
  const words = ['src/cli.ts', 'store', 'check', '--of', database.url];
  const check = spawn(process.execPath, words, { cwd: resolve(import.meta.dirname, '../..'), stdio: 'inherit' });
  const [code] = await once(check, 'exit');
  expect(code).toBe(0);
});
