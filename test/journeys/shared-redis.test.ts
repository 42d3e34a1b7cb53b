import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RedisServer } from '../../scripts/servers/redis.ts';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { freshDatabase, startRedis, type TestDatabase } from '../servers/index.ts';
import { startTcpFaultProxy, type TcpFaultProxy } from '../tcp-fault/index.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/*
 * Two gateways, each its own process, over one PostgreSQL database and one Redis with a password: one limit, one cache, one
 * word of changes. Redis goes away and comes back while they run.
 */
let upstream: FakeProvider;
let database: TestDatabase;
let redis: RedisServer;
let proxy: TcpFaultProxy;
let one: GatewayProcess;
let other: GatewayProcess;
const password = 'redis-password-canary';

beforeAll(async () => {
  upstream = await startFakeProvider({ default: { text: 'Hello there' } });
  database = await freshDatabase();
  redis = await startRedis({ password });
  proxy = await startTcpFaultProxy({ port: redis.port });
  const config = `
model_list:
  - model_name: m
    litellm_params: { model: openai/m, api_base: "${upstream.url}/v1", api_key: none }
router_settings:
  redis_host: ${proxy.host}
  redis_port: ${proxy.port}
  redis_password: os.environ/REDIS_PASSWORD
  cache_responses: true
general_settings:
  store_model_in_db: true
`;
  const env = { DATABASE_URL: database.url, REDIS_PASSWORD: password };
  [one, other] = await Promise.all([startGateway({ config, env }), startGateway({ config, env })]);
  // Each has heard of the other.
  await new Promise((resolve) => setTimeout(resolve, 1_300));
});
afterAll(async () => {
  await Promise.all([one?.stop(), other?.stop()]);
  await proxy?.close();
  await redis?.close();
  await database?.drop();
  await upstream?.close();
});

let questions = 0;

function ask(gateway: GatewayProcess, key: string, question = `question ${++questions}`): Promise<Response> {
  return gateway.post('/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: question }] }, key);
}

async function newKey(settings: object): Promise<string> {
  const answer = await one.post('/key/generate', settings);
  return ((await answer.json()) as { key: string }).key;
}

/** Two at a time: what a busy machine does to a rush is no subject here. */
async function statuses(gateway: GatewayProcess, key: string, count: number): Promise<number[]> {
  const list: number[] = [];
  const client = async () => {
    while (count-- > 0) {
      const answer = await ask(gateway, key);
      await answer.text();
      list.push(answer.status);
    }
  };
  await Promise.all([client(), client()]);
  return list;
}

const good = (list: readonly number[]) => list.filter((status) => status === 200).length;

async function until(isSo: () => Promise<boolean>, limitMs: number): Promise<number> {
  const startedTick = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startedTick > limitMs) throw new Error(`not so after ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return performance.now() - startedTick;
}

describe('two gateways over one Redis', () => {
  it('share a limit of requests', async () => {
    const round = async () => {
      const key = await newKey({ rpm_limit: 20 });
      const [here, there] = await Promise.all([statuses(one, key, 15), statuses(other, key, 15)]);
      expect(new Set([...here, ...there])).toEqual(new Set([200, 429]));
      return good([...here, ...there]);
    };
    // A machine so busy that Redis misses its 80 ms throws a gateway back on its share: that is no fault of the limit.
    let admitted = await round();
    for (let again = 0; again < 4 && admitted !== 20; again++) admitted = await round();
    expect(admitted).toBe(20);
  });

  it('share cached answers, and forget them together', async () => {
    const key = await newKey({});
    const first = (await (await ask(one, key, 'cached?')).json()) as { id: string };
    const isHit = async () => {
      const answer = await ask(other, key, 'cached?');
      await answer.text();
      return answer.headers.get('x-litellm-cache-key') !== null;
    };
    await until(isHit, 2_000);
    expect(first.id).toBeDefined();
    expect(await (await other.get('/cache/ping')).json()).toMatchObject({ status: 'healthy', cache_type: 'redis' });
    const facts = (await (await other.get('/cache/redis/info')).json()) as { info: object; num_clients: number };
    expect(facts.info).toMatchObject({ redis_version: expect.any(String) });
    expect(facts.num_clients).toBeGreaterThanOrEqual(4);
    const before = upstream.requests.length;
    expect((await one.post('/cache/flushall', {})).status).toBe(200);
    await (await ask(other, key, 'cached?')).text();
    expect(upstream.requests.length).toBe(before + 1);
  });

  it('refuse a key within a second after the other blocked it, and serve a model the other was given', async () => {
    const key = await newKey({});
    expect((await ask(other, key)).status).toBe(200);
    expect((await one.post('/key/block', { key })).status).toBe(200);
    expect(await until(async () => (await ask(other, key)).status !== 200, 3_000)).toBeLessThan(1_000);

    const model = {
      model_name: 'added',
      litellm_params: { model: 'openai/x', api_base: `${upstream.url}/v1`, api_key: 'k' },
    };
    expect((await one.post('/model/new', model)).status).toBe(200);
    const body = { model: 'added', messages: [{ role: 'user', content: 'hi' }] };
    await until(async () => (await other.post('/v1/chat/completions', body)).status === 200, 2_000);
  });

  it('go on with their shares while Redis is away, hear of changes all the same, and share again by themselves', async () => {
    const key = await newKey({ rpm_limit: 30 });
    const blocked = await newKey({});
    expect((await ask(other, blocked)).status).toBe(200);
    await proxy.refuse();
    // Nobody waits, nobody fails.
    expect(good(await statuses(one, await newKey({}), 10))).toBe(10);
    expect(good(await statuses(one, key, 25))).toBe(15);
    expect(good(await statuses(other, key, 25))).toBe(15);
    await one.post('/key/block', { key: blocked });
    expect(await until(async () => (await ask(other, blocked)).status !== 200, 6_000)).toBeLessThan(5_000);
    expect((await one.post('/cache/flushall', {})).status).toBe(503);

    await proxy.restore();
    await until(async () => (await one.get('/cache/ping')).status === 200, 8_000);
    await until(async () => (await other.get('/cache/ping')).status === 200, 8_000);
    expect(good([...(await statuses(one, key, 5)), ...(await statuses(other, key, 5))])).toBe(0);
    for (const gateway of [one, other]) expect(gateway.log()).not.toContain(password);
  });
});
