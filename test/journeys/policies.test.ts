import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { freshDatabase, type TestDatabase } from '../servers/index.ts';
import { startTcpFaultProxy, type TcpFaultProxy } from '../tcp-fault/index.ts';
import { selling } from './support/config-text.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* docs/policies.md, row by row, over real sockets. */
const outputTokensMax = 1_000;

let upstream: FakeProvider;
let gateway: GatewayProcess | undefined;

beforeAll(async () => {
  upstream = await startFakeProvider();
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  upstream.setDefault({});
});
afterAll(() => upstream?.close());

async function start(settings: Readonly<Record<string, unknown>>, env: Record<string, string> = {}) {
  const lines = Object.entries(settings).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`);
  gateway = await startGateway({
    env,
    config: `
${selling(upstream.url, 0.001)}general_settings:
  drain_timeout_seconds: 1
${lines.join('\n')}
`,
  });
  return gateway;
}

async function makeKey(on: GatewayProcess, body: object): Promise<string> {
  return on.makeKey(body);
}

async function ask(on: GatewayProcess, key: string, more: object = {}, init: RequestInit = {}): Promise<Response> {
  const messages = [{ role: 'user', content: 'Hello' }];
  return fetch(`${on.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', max_tokens: outputTokensMax, messages, ...more }),
    ...init,
  });
}

describe('a bound that does not fit', () => {
  it('is refused by default', async () => {
    const on = await start({});
    const key = await makeKey(on, { max_budget: 0.5 });
    expect((await ask(on, key)).status).toBe(429);
  });

  it('is clamped where the operator says so, and the header tells', async () => {
    const on = await start({ clamp_output_tokens: true });
    const key = await makeKey(on, { max_budget: 0.5 });
    const answer = await ask(on, key);
    expect([answer.status, answer.headers.get('x-tollgate-clamped-max-tokens')]).toEqual([200, '500']);
    expect(JSON.parse(upstream.requests.at(-1)!.body.toString())).toMatchObject({ max_tokens: 500 });
    await answer.text();
    const whole = await ask(on, await makeKey(on, { max_budget: 5 }));
    expect(whole.headers.get('x-tollgate-clamped-max-tokens')).toBeNull();
  });
});

describe('a caller who hangs up', () => {
  it.each([
    ['seen', (cost: number) => cost > 0 && cost < 1],
    ['hold', (cost: number) => cost === 1],
  ] as const)('pays what the policy of the provider says: %s', async (policy, isRight) => {
    const on = await start({ hangup_charge: { openai: policy } });
    const key = await makeKey(on, { max_budget: 10 });
    upstream.setDefault({ endless: true, delayBetweenEventsMs: 10 });
    const leave = new AbortController();
    const answer = await ask(on, key, { stream: true }, { signal: leave.signal });
    await answer.body!.getReader().read();
    leave.abort();
    await expect.poll(() => spendOf(on, key), { timeout: 5_000 }).toSatisfy(isRight);
  });
});

describe('rate limits while Redis is away', () => {
  it.each([
    ['share', [200, 429, 429]],
    ['open', [200, 200, 200]],
    ['closed', [503, 503, 503]],
  ] as const)('%s', async (policy, statuses) => {
    const on = await start({ limits_without_redis: policy }, { REDIS_URL: 'redis://127.0.0.1:1' });
    const key = await makeKey(on, { rpm_limit: 1 });
    const free = await makeKey(on, {});
    const seen: number[] = [];
    for (const _ of statuses) seen.push((await ask(on, key)).status);
    expect(seen).toEqual(statuses);
    expect((await ask(on, free)).status).toBe(200);
  });
});

describe('budgets while the store is away', () => {
  let database: TestDatabase;
  let way: TcpFaultProxy;

  beforeAll(async () => {
    database = await freshDatabase();
    const { hostname, port } = new URL(database.url);
    way = await startTcpFaultProxy({ host: hostname, port: Number(port) });
  });
  afterAll(async () => {
    await way?.close();
    await database?.drop();
  });

  const through = () => {
    const address = new URL(database.url);
    address.host = `${way.host}:${way.port}`;
    return { DATABASE_URL: address.href };
  };

  async function buyWhileAway(on: GatewayProcess, key: string) {
    upstream.setDefault({ usage: { inputTokens: 1, outputTokens: outputTokensMax } });
    expect((await ask(on, key)).status).toBe(200);
    await way.refuse();
    const seen: number[] = [];
    let slowestMs = 0;
    for (let turn = 0; turn < 15; turn++) {
      const began = performance.now();
      const answer = await ask(on, key);
      await answer.arrayBuffer();
      if (seen.includes(answer.status)) slowestMs = Math.max(slowestMs, performance.now() - began);
      seen.push(answer.status);
    }
    await way.restore();
    return { seen, slowestMs };
  }

  it('closed: refuses what it has no money in hand for, fast, and serves again by itself', async () => {
    const on = await start({}, through());
    const key = await makeKey(on, { max_budget: 10 });
    const { seen, slowestMs } = await buyWhileAway(on, key);
    expect(seen.at(-1)).toBe(503);
    expect(slowestMs).toBeLessThan(1_500);
    await expect.poll(async () => (await ask(on, key)).status, { timeout: 10_000 }).toBe(200);
    expect(await spendOf(on, key)).toBeLessThanOrEqual(10);
  }, 60_000);

  it('spool: admits up to the last known figures and books everything when the store is back', async () => {
    const on = await start({ budget_store_down: 'spool' }, through());
    const key = await makeKey(on, { max_budget: 10 });
    const { seen } = await buyWhileAway(on, key);
    expect(seen).toEqual([...Array(9).fill(200), ...Array(6).fill(429)]);
    await expect.poll(() => spendOf(on, key), { timeout: 15_000 }).toBe(10);
    expect((await ask(on, key)).status).toBe(429);
  }, 60_000);
});

async function spendOf(on: GatewayProcess, key: string): Promise<number> {
  const shown = await on.get(`/key/info?key=${key}`);
  return shown.ok ? ((await shown.json()) as { info: { spend: number } }).info.spend : Number.NaN;
}
