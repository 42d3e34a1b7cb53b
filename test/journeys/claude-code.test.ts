import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { deployment } from './support/config-text.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/*
 * What the published contract asks of a gateway in front of Claude Code, and what else Anthropic's client does.
 * https://code.claude.com/docs/en/llm-gateway-protocol
 */
let fake: FakeProvider;
let gateway: GatewayProcess;
let anthropic: Anthropic;

beforeAll(async () => {
  fake = await startFakeProvider({ strict: true });
  gateway = await startGateway({
    config: `model_list:
${deployment('claude-one', fake.url, 'anthropic/claude-upstream', { api_base: fake.url })}
${deployment('claude-two', fake.url, 'openai/some-model')}
${deployment('gpt', fake.url, 'openai/some-model')}
router_settings: {num_retries: 0}
`,
  });
  anthropic = new Anthropic({ baseURL: gateway.url, apiKey: masterKey, maxRetries: 0 });
});
beforeEach(() => fake.setDefault({}));
afterAll(async () => {
  await gateway?.stop();
  await fake?.close();
});

const question = { messages: [{ role: 'user' as const, content: 'How long is this?' }] };

describe('counting tokens', () => {
  it('is the provider’s own where it speaks the format, with headers and body as they came', async () => {
    const counted = await anthropic.messages.countTokens(
      { model: 'claude-one', ...question, system: 'Be brief.' },
      { headers: { 'anthropic-beta': 'token-counting-2024-11-01,other' } },
    );
    expect(counted.input_tokens).toBeGreaterThan(5);
    const sent = fake.requests.at(-1)!;
    expect(sent.path).toBe('/v1/messages/count_tokens');
    expect(sent.headers['anthropic-beta']).toBe('token-counting-2024-11-01,other');
    expect(sent.json).toEqual({ model: 'claude-upstream', ...question, system: 'Be brief.' });
  });

  it('is ours for every other provider, and asks nobody', async () => {
    const before = fake.requests.length;
    const short = await anthropic.messages.countTokens({ model: 'claude-two', ...question });
    const long = await anthropic.messages.countTokens({
      model: 'claude-two',
      messages: [{ role: 'user', content: 'word '.repeat(500) }],
    });
    expect(short.input_tokens).toBeGreaterThan(4);
    expect(long.input_tokens).toBeGreaterThan(450);
    expect(long.input_tokens).toBeLessThan(1_100);
    expect(fake.requests.length).toBe(before);
  });

  it('costs nothing, is held to the rate limits, and stands in the records', async () => {
    const made = await gateway.post('/key/generate', { rpm_limit: 2, max_budget: 0.000001 });
    const { key, token } = (await made.json()) as { key: string; token: string };
    const limited = new Anthropic({ baseURL: gateway.url, apiKey: key, maxRetries: 0 });
    await limited.messages.countTokens({ model: 'claude-one', ...question });
    await limited.messages.countTokens({ model: 'claude-two', ...question });
    await expect(limited.messages.countTokens({ model: 'claude-one', ...question })).rejects.toThrow(
      Anthropic.RateLimitError,
    );
    let rows: { spend: number; status: string }[] = [];
    for (let tries = 0; rows.length < 3 && tries < 50; tries += 1) {
      rows = (await (await gateway.get(`/spend/logs?api_key=${token}`)).json()) as typeof rows;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(rows.map(({ spend }) => spend)).toEqual([0, 0, 0]);
  });

  it('tells what is wrong with a request', async () => {
    await expect(anthropic.messages.countTokens({ model: 'claude-one', messages: [] })).rejects.toThrow(/messages/);
    await expect(anthropic.messages.countTokens({ model: 'nobody', ...question })).rejects.toThrow(
      Anthropic.BadRequestError,
    );
  });
});

describe('model discovery', () => {
  it('lists models in Anthropic’s shape to who names its version, a page at a time', async () => {
    const all: string[] = [];
    for await (const model of anthropic.models.list({ limit: 2 })) {
      expect(model).toMatchObject({ type: 'model', display_name: model.id, created_at: expect.any(String) });
      all.push(model.id);
    }
    expect(all.sort()).toEqual(['claude-one', 'claude-two', 'gpt']);
    expect(await anthropic.models.retrieve('claude-two')).toMatchObject({ type: 'model', id: 'claude-two' });
    await expect(anthropic.models.retrieve('claude-nine')).rejects.toThrow(Anthropic.NotFoundError);
  });

  it('keeps OpenAI’s shape for everybody else', async () => {
    const listed = (await (await gateway.get('/v1/models')).json()) as { object: string };
    expect(listed.object).toBe('list');
  });
});

it('passes beta headers and every field on as they came, and knows the session', async () => {
  const body = {
    model: 'claude-one',
    max_tokens: 3_000,
    ...question,
    thinking: { type: 'enabled', budget_tokens: 2_000 },
    context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] },
    mcp_servers: [{ type: 'url', url: 'https://mcp.example.com', name: 'example' }],
    metadata: { user_id: 'user_x_session_y' },
    tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 1 }],
  };
  const answer = await fetch(`${gateway.url}/v1/messages?beta=true`, {
    method: 'POST',
    headers: {
      'x-api-key': masterKey,
      'content-type': 'application/json',
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'claude-code-20250219,context-management-2025-06-27',
      'x-claude-code-session-id': 'session-42',
    },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(200);
  const sent = fake.requests.at(-1)!;
  expect(sent.json).toEqual({ ...body, model: 'claude-upstream' });
  expect(sent.headers['anthropic-beta']).toBe('claude-code-20250219,context-management-2025-06-27');
  const id = answer.headers.get('x-litellm-call-id');
  let text = '';
  for (let tries = 0; !text.includes('session-42') && tries < 50; tries += 1) {
    text = await (await gateway.get(`/spend/logs?request_id=${id}`)).text();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(text).toContain('session-42');
});
