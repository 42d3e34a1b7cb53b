import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';

/* What an operator may say of the format that conversations go on in, and of where reasoning is told. */

let fake: FakeProvider;
let rig: GatewayRig;

beforeAll(async () => {
  fake = await startFakeProvider();
  const served = (more: string) => `{ model: openai/up, api_base: "${fake.url}/v1", api_key: sk-1${more} }`;
  rig = await startGatewayRig(
    `model_list:
  - { model_name: chat-only, litellm_params: ${served(', use_chat_completions_api: true')} }
  - { model_name: public, litellm_params: { model: openai/up, api_key: sk-1 } }
  - { model_name: served, litellm_params: ${served('')} }
  - { model_name: merged, litellm_params: ${served(', merge_reasoning_content_in_choices: true')} }
  - model_name: merged-claude
    litellm_params: { model: anthropic/claude-x, api_base: "${fake.url}", api_key: sk-1, merge_reasoning_content_in_choices: true }
  - model_name: claude
    litellm_params:
      { model: anthropic/claude-y, api_base: "${fake.url}", api_key: sk-1, input_cost_per_token: 5e-6, output_cost_per_token: 25e-6 }
    model_info: { provider_specific_entry: { us: 1.1, fast: 6 } }
litellm_settings: { route_all_chat_openai_to_responses: true }
`,
    { OPENAI_API_BASE: `${fake.url}/v1` },
  );
});
afterAll(async () => {
  await rig.close();
  await fake.close();
});

const lastPath = () => fake.requests.at(-1)!.path;

test.each([false, true])(
  'Responses go to chat completions where a server has nothing else (stream: %s)',
  async (stream) => {
    fake.setDefault({ text: 'Well.' });
    const answer = await rig.post('/v1/responses', { model: 'chat-only', input: 'Hi', stream });
    expect(await answer.text()).toContain('"output_text"');
    expect(lastPath()).toBe('/v1/chat/completions');
    await rig.post('/v1/responses', { model: 'served', input: 'Hi' });
    expect(lastPath()).toBe('/v1/responses');
  },
);

test('chat goes to the Responses API at the public address alone, text completions as ever', async () => {
  const answer = (await (await rig.chat({ model: 'public' })).json()) as { object: string };
  expect(answer.object).toBe('chat.completion');
  expect(lastPath()).toBe('/v1/responses');
  await rig.chat({ model: 'served' });
  expect(lastPath()).toBe('/v1/chat/completions');
  await rig.post('/v1/completions', { model: 'public', prompt: 'Hi' });
  expect(lastPath()).toBe('/v1/completions');
});

test.each(['merged', 'merged-claude'])('%s tells its reasoning in the content, whole and streamed', async (model) => {
  fake.setDefault({ reasoning: 'Two and two.', text: 'Four.' });
  const whole = (await (await rig.chat({ model })).json()) as { choices: { message: object }[] };
  expect(whole.choices[0]!.message).toMatchObject({ role: 'assistant', content: '<think>Two and two.</think>Four.' });
  expect(whole.choices[0]!.message).not.toHaveProperty('reasoning_content');
  const stream = await (await rig.chat({ model, stream: true })).text();
  const said = [...stream.matchAll(/"content":"([^"]*)"/g)].map(([, text]) => text).join('');
  expect(said).toBe('<think>Two and two.</think>Four.');
  expect(stream).not.toContain('reasoning_content');
});

test('a request says for itself where reasoning is told, and its provider does not hear of it', async () => {
  fake.setDefault({ reasoning: 'Two and two.', text: 'Four.' });
  const plain = await rig.chat({ model: 'merged', merge_reasoning_content_in_choices: false });
  expect(await plain.text()).toContain('"reasoning_content":"Two and two."');
  const merged = await rig.chat({ model: 'served', merge_reasoning_content_in_choices: true });
  expect(await merged.text()).toContain('<think>Two and two.</think>Four.');
  expect(fake.requests.at(-1)!.json).not.toHaveProperty('merge_reasoning_content_in_choices');
  // Other formats have a place of their own for it.
  const messages = { model: 'merged', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] };
  expect(await (await rig.post('/v1/messages', messages)).text()).toContain('"type":"thinking"');
});

test.each([
  ['/v1/messages', {}],
  ['/v1/messages', { stream: true }],
  ['/v1/chat/completions', {}],
  ['/v1/chat/completions', { stream: true }],
])('%s %j: what Anthropic answered fast, and in a region, costs what the operator says', async (path, more) => {
  fake.setDefault({ text: 'Well.', usage: { inputTokens: 100, outputTokens: 10 } });
  const costs: number[] = [];
  const holds: number[] = [];
  for (const terms of [{}, { speed: 'fast' }, { inference_geo: 'us' }, { speed: 'fast', inference_geo: 'us' }]) {
    const body = { model: 'claude', max_tokens: 50, messages: [{ role: 'user', content: 'Hi' }], ...more, ...terms };
    const before = rig.records.length;
    const answer = await rig.post(path, body);
    expect(await answer.text()).toContain('Well');
    const record = (await rig.recorded(before + 1)).at(-1)!;
    costs.push(record.cost);
    holds.push(record.bound);
  }
  expect(costs).toEqual([750_000, 4_500_000, 825_000, 4_950_000]);
  // Set aside before: six times as much where it is asked for, and nowhere else.
  expect(Math.floor(holds[1]! / holds[0]!)).toBe(6);
  expect(Math.floor(holds[2]! / holds[0]!)).toBe(1);
});
