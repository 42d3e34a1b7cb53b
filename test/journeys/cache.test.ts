import { afterEach, beforeEach, expect, test } from 'vitest';
import { budget, principal, rateLimit, simpleLedger } from '../builders.ts';
import { type FakeProvider, finishAt, serverError, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

let fake: FakeProvider;
let rig: GatewayRig;

beforeEach(async () => {
  fake = await startFakeProvider();
  rig = await startGatewayRig(`model_list:
${deployment('m', fake.url, 'openai/some-model', { input_cost_per_token: 0.000001, output_cost_per_token: 0.000002 })}
router_settings: {num_retries: 0}
litellm_settings: {cache: true, cache_params: {type: local}}
`);
});
afterEach(async () => {
  await rig.close();
  await fake.close();
});

const answer = async (response: Response) => (await response.json()) as { id: string; choices: unknown[] };

test('the same request is answered once by the provider, then from the cache for nothing', async () => {
  const first = await rig.chat();
  const second = await rig.chat();
  expect(fake.requests).toHaveLength(1);
  expect(await answer(second)).toEqual(await answer(first));
  expect(second.headers.get('x-litellm-cache-key')).toMatch(/[0-9a-f]{64}$/);
  const [miss, hit] = await rig.recorded(2);
  expect(miss).toMatchObject({ cacheHit: false });
  expect(miss?.cost).toBeGreaterThan(0);
  expect(hit).toMatchObject({ cacheHit: true, cost: 0, attempts: [], status: 'success' });
});

test('what changes the answer is another entry; who delivers it how is not', async () => {
  await (await rig.chat()).text();
  await (await rig.chat({ temperature: 0.3 })).text();
  await (
    await rig.chat({
      messages: [
        { role: 'system', content: 'Be brief' },
        { role: 'user', content: 'Hello' },
      ],
    })
  ).text();
  expect(fake.requests).toHaveLength(3);
  await (await rig.chat({ metadata: { tags: ['a'] } })).text();
  await (await rig.chat({ stream: true })).text();
  expect(fake.requests).toHaveLength(3);
});

test('a whole answer is replayed as a stream, and a stream as a whole answer', async () => {
  fake.enqueue({ text: 'Once upon a time.' }, { text: 'There was a fox.' });
  await (await rig.chat()).text();
  const replayed = await rig.chat({ stream: true, stream_options: { include_usage: true } });
  expect(replayed.headers.get('content-type')).toContain('text/event-stream');
  const events = await replayed.text();
  expect(events).toContain('Once upon a time.');
  expect(events).toContain('"usage":{');
  expect(events.endsWith('data: [DONE]\n\n')).toBe(true);

  const body = { seed: 2 };
  const streamed = await (await rig.chat({ ...body, stream: true })).text();
  await rig.recorded(3);
  const whole = await answer(await rig.chat(body));
  expect(whole.choices[0]).toMatchObject({ message: { content: 'There was a fox.' }, finish_reason: 'stop' });
  expect(streamed).toContain(whole.id);
  expect(fake.requests).toHaveLength(2);
});

test('who sets the address or the key is answered by nobody else, and answers nobody else', async () => {
  await (await rig.chat()).text();
  expect((await rig.chat({ api_base: 'http://127.0.0.1:1/v1', api_key: 'sk-own' })).status).toBe(400);
  const own = await startFakeProvider();
  const open = await startGatewayRig(`model_list:
${deployment('m', fake.url, 'openai/some-model', { configurable_clientside_auth_params: ['api_base', 'api_key'] })}
litellm_settings: {cache: true, cache_params: {type: local}}
`);
  try {
    await (await open.chat({ seed: 1 })).text();
    const asked = { api_base: `${own.url}/v1`, api_key: 'sk-own' };
    await (await open.chat({ seed: 1, ...asked })).text();
    await (await open.chat({ seed: 2, ...asked })).text();
    expect(own.requests).toHaveLength(2);
    await (await open.chat({ seed: 2 })).text();
    expect(fake.requests).toHaveLength(3);
  } finally {
    await open.close();
    await own.close();
  }
});

test('callers control it', async () => {
  await (await rig.chat()).text();
  await (await rig.chat({ cache: { 'no-cache': true } })).text();
  expect(fake.requests).toHaveLength(2);
  await (await rig.chat({ seed: 1, cache: { 'no-store': true } })).text();
  await (await rig.chat({ seed: 1 })).text();
  expect(fake.requests).toHaveLength(4);
  await (await rig.chat({ seed: 2, cache: { ttl: 0.05 } })).text();
  await new Promise((resolve) => setTimeout(resolve, 80));
  await (await rig.chat({ seed: 2 })).text();
  expect(fake.requests).toHaveLength(6);
  await new Promise((resolve) => setTimeout(resolve, 80));
  await (await rig.chat({ seed: 2, cache: { 's-maxage': 0.05 } })).text();
  expect(fake.requests).toHaveLength(7);
  await (await rig.chat({ seed: 2, cache: { namespace: 'other' } })).text();
  expect(fake.requests).toHaveLength(8);
});

test('only complete answers are kept', async () => {
  fake.enqueue(serverError(), finishAt({ event: 4 }));
  expect((await rig.chat()).status).toBe(500);
  await (await rig.chat({ stream: true })).text();
  await (await rig.chat()).text();
  expect(fake.requests).toHaveLength(3);
});

test('what is known needs no room in any budget, but counts for the rate limits', async () => {
  const rule = budget({ cap: 30_000_000 });
  const buyer = principal({ budgets: [rule], rateLimits: [rateLimit({ limit: 3 })] });
  const books = simpleLedger();
  Object.assign(rig.gateway, { ledger: books, principals: { ...rig.gateway.principals, find: () => buyer } });
  const ask = (changes: object = {}) =>
    rig.chat({ max_tokens: 10, ...changes }, { headers: { authorization: 'Bearer sk-buyer' } });
  await (await ask()).text();
  // Somebody else holds all that is left.
  const { spent, held } = books.balance(rule);
  books.reserve('other', [rule], 30_000_000 - spent - held);
  const hit = await ask();
  expect([hit.status, hit.headers.get('x-litellm-response-cost')]).toEqual([200, '0.0']);
  await hit.text();
  const other = await ask({ seed: 1 });
  expect([other.status, ((await other.json()) as { error: { type: string } }).error.type]).toEqual([
    429,
    'budget_exceeded',
  ]);
  expect((await ask()).status).toBe(200);
  const limited = await ask();
  expect([limited.status, limited.headers.get('rate_limit_type')]).toEqual([429, 'requests']);
  expect(fake.requests).toHaveLength(1);
  expect(books.balance(rule).spent).toBe(spent);
});
