import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* One request, or one key's, told in full in the log without a restart, and nothing of what was said. */
let upstream: FakeProvider;
let gateway: GatewayProcess;

beforeAll(async () => {
  upstream = await startFakeProvider();
  gateway = await startGateway({
    config: `
model_list:
  - model_name: m
    litellm_params: { model: openai/m-1, api_base: "${upstream.url}/v1", api_key: sk-provider-canary-of-debug, input_cost_per_token: 0, output_cost_per_token: 0 }
`,
  });
});
afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

const lines = () =>
  gateway
    .log()
    .split('\n')
    .filter((line) => line.includes('request in full'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

it('tells what was asked for by name, and stops when it is told to', async () => {
  const key = await gateway.makeKey({ key_alias: 'watched' });
  const ask = async (headers: Record<string, string> = {}, own = key) => {
    const body = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'What the caller said' }] };
    await (await gateway.post('/v1/chat/completions', body, own, { 'x-secret': 'hidden-value', ...headers })).text();
  };
  const wish = async (body: object) =>
    (await (await gateway.post('/debug/requests', body)).json()) as { watching: { by: string; value: string }[] };
  await ask();
  expect(lines()).toHaveLength(0);

  expect((await wish({ by: 'key', value: 'watched' })).watching).toMatchObject([{ by: 'key', value: 'watched' }]);
  await ask();
  await expect.poll(() => lines().length).toBe(1);
  expect(lines()[0]).toMatchObject({
    keyAlias: 'watched',
    modelAsked: 'm',
    httpStatus: 200,
    parameters: { max_tokens: 5 },
    headers: { authorization: '[not shown]', 'x-secret': '[not shown]', 'content-type': 'application/json' },
    attempts: [{ model: 'm-1', result: 'success' }],
  });
  const { msSinceArrival } = lines()[0] as { msSinceArrival: Record<string, number> };
  expect(msSinceArrival.ended).toBeGreaterThanOrEqual(msSinceArrival.admitted!);

  expect((await wish({ by: 'key', value: 'watched', minutes: 0 })).watching).toEqual([]);
  await wish({ by: 'request', value: 'case-7' });
  await ask();
  await ask({ 'x-litellm-call-id': 'case-7' });
  await expect.poll(() => lines().length).toBe(2);
  expect(lines()[1]).toMatchObject({ callId: 'case-7' });
  for (const secret of ['What the caller said', 'hidden-value', key]) expect(gateway.log()).not.toContain(secret);
  expect((await gateway.post('/debug/requests', { by: 'nothing', value: 'x' })).status).toBe(422);
  expect((await gateway.post('/debug/requests', { by: 'model', value: 'm' }, key)).status).toBe(403);
}, 60_000);
