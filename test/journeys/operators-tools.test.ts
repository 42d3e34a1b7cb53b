import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* What an operator asks beside the traffic: dry runs, prices read again, spend given back, budgets in the metrics. */
let upstream: FakeProvider;
let gateway: GatewayProcess;

const config = () => `
model_list:
  - model_name: claude
    litellm_params:
      model: anthropic/claude-model
      api_base: "${upstream.url}"
      api_key: sk-upstream-canary-0123456789
      input_cost_per_token: 0.001
      output_cost_per_token: 0.002
  - model_name: gpt
    litellm_params: { model: openai/gpt-model, api_base: "${upstream.url}/v1", api_key: sk-upstream-canary-0123456789 }
litellm_settings: { prometheus_initialize_budget_metrics: true, callbacks: [jsonl] }
callback_settings: { jsonl: { path: told.jsonl } }
`;

beforeAll(async () => {
  upstream = await startFakeProvider();
  upstream.setDefault({ usage: { inputTokens: 100, outputTokens: 50 } });
  gateway = await startGateway({ config: config() });
});

afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

async function json(path: string, body: unknown, key?: string) {
  const response = await gateway.post(path, body, key);
  return { status: response.status, body: (await response.json()) as Record<string, never> };
}

it('shows a request as its provider would get it, without its credential and without sending it', async () => {
  const { key } = (await json('/key/generate', { models: ['claude'] })).body;
  const messages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hello' },
  ];
  const request = { model: 'claude', messages, max_tokens: 7, metadata: { a: 1 } };
  const shown = await json('/utils/transform_request', { call_type: 'completion', request_body: request }, key);
  expect(shown.body).toMatchObject({
    raw_request_api_base: `${upstream.url}/v1/messages`,
    raw_request_body: { model: 'claude-model', max_tokens: 7, messages: [{ role: 'user' }] },
    raw_request_headers: { 'x-api-key': '*****', 'anthropic-version': '2023-06-01' },
  });
  expect(JSON.stringify(shown.body)).not.toContain('canary');
  expect(upstream.requests).toHaveLength(0);
  const foreign = { call_type: 'acompletion', request_body: { ...request, model: 'gpt' } };
  expect((await json('/utils/transform_request', foreign, key)).status).toBe(403);
  const wrong = await json('/utils/transform_request', { call_type: 'completion', request_body: { messages } });
  expect([wrong.status, JSON.stringify(wrong.body)]).toEqual([400, expect.stringContaining('model: required')]);
});

it('gives back what keys and teams have spent, and tells what is left of every budget', async () => {
  const team = (await json('/team/new', { team_alias: 'blue', max_budget: 10 })).body.team_id;
  const { key, token } = (await json('/key/generate', { team_id: team, max_budget: 5, key_alias: 'one' })).body;
  const body = { model: 'claude', max_tokens: 50, messages: [{ role: 'user', content: 'Hello' }] };
  expect((await json('/v1/chat/completions', body, key)).status).toBe(200);
  const spentBy = async (path: string, part: string) =>
    ((await (await gateway.get(path)).json()) as Record<string, { spend: number }>)[part]!.spend;
  const spent = async () => [
    await spentBy(`/key/info?key=${token}`, 'info'),
    await spentBy(`/team/info?team_id=${team}`, 'team_info'),
  ];
  expect(await spent()).toEqual([0.2, 0.2]);
  const left = async (name: string) =>
    new RegExp(`^litellm_remaining_${name}_budget_metric\\{.*\\} (.*)$`, 'm').exec(
      await (await gateway.get('/metrics')).text(),
    )?.[1];
  expect([await left('api_key'), await left('team')]).toEqual(['4.8', '9.8']);
  const reset = await json('/global/spend/reset', {});
  expect(reset.body).toMatchObject({ status: 'success', accounts_reset: 2 });
  expect(await spent()).toEqual([0, 0]);
  expect((await json('/global/spend/reset', {}, key)).status).toBe(403);

  const { folder } = gateway;
  expect((await json('/v1/chat/completions', body, key)).status).toBe(200);
  await gateway.get('/spend/logs');
  gateway.child.kill('SIGTERM');
  await new Promise((resolve) => gateway.child.once('exit', resolve));
  gateway = await startGateway({ config: config(), folder });
  // Nobody has asked for anything since the start.
  for (let turn = 0; turn < 50 && (await left('team')) === undefined; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect([await left('api_key'), await left('team')]).toEqual(['4.8', '9.8']);
});

it('reads the prices again when asked to', async () => {
  expect((await json('/reload/model_cost_map', {})).body).toMatchObject({ status: 'success', models_count: 2 });
});
