import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

/** Parameters that a provider is not known to support, let through by the operator or by the caller. */
let fake: FakeProvider;
let rig: GatewayRig;

beforeAll(async () => {
  fake = await startFakeProvider();
  rig = await startGatewayRig(`model_list:
${deployment('claude', fake.url, 'anthropic/claude-sonnet-4-5')}
${deployment('open', fake.url, 'anthropic/claude-sonnet-4-5', { allowed_openai_params: ['seed'] })}
${deployment('groq', fake.url, 'groq/llama-3.3-70b-versatile')}
${deployment('gemini', fake.url, 'gemini/gemini-2.5-flash')}
router_settings: { num_retries: 0 }
`);
});
afterAll(async () => {
  await rig.close();
  await fake.close();
});
beforeEach(() => {
  fake.reset();
});

const sent = () => fake.requests.at(-1)!.json as Record<string, unknown>;

async function refusal(changes: Record<string, unknown>): Promise<string> {
  const reply = await rig.chat(changes);
  expect(reply.status).toBe(400);
  expect(fake.requests.length).toBe(0);
  return ((await reply.json()) as { error: { message: string } }).error.message;
}

describe('a parameter that the provider is not known to support', () => {
  test('is refused, and let through where the request says so', async () => {
    expect(await refusal({ model: 'groq', logit_bias: { 1: 2 } })).toContain("['logit_bias']");
    const reply = await rig.chat({ model: 'groq', logit_bias: { 1: 2 }, allowed_openai_params: ['logit_bias'] });
    expect(reply.status).toBe(200);
    expect(sent()).toMatchObject({ logit_bias: { 1: 2 } });
    expect(sent()).not.toHaveProperty('allowed_openai_params');
  });

  test.each([
    ['claude', { seed: 7, logit_bias: { 1: 2 } }],
    ['gemini', { logit_bias: { 1: 2 }, verbosity: 'low' }],
  ])('goes into %s’s format as it was written', async (model, params) => {
    const names = Object.keys(params);
    expect(await refusal({ model, ...params })).toContain(`'${names[0]}'`);
    expect((await rig.chat({ model, ...params, allowed_openai_params: names })).status).toBe(200);
    expect(sent()).toMatchObject(params);
  });

  test('adds to what the operator lets through', async () => {
    const both = { model: 'open', seed: 7, logit_bias: { 1: 2 } };
    expect(await refusal(both)).toContain("['logit_bias']");
    expect((await rig.chat({ ...both, allowed_openai_params: ['logit_bias'] })).status).toBe(200);
    expect(sent()).toMatchObject({ seed: 7, logit_bias: { 1: 2 } });
  });

  test('never says the conversation over', async () => {
    const reply = { model: 'gemini', contents: [], functions: [], allowed_openai_params: ['contents', 'functions'] };
    expect(await refusal(reply)).toContain('contents');
  });

  test('must be named in a list', async () => {
    expect(await refusal({ model: 'claude', allowed_openai_params: 'seed' })).toBe(
      'allowed_openai_params: expected a list of texts, got string.',
    );
  });
});
