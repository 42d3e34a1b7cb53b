import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* Budgets of deployments and providers, held on the one that is chosen, over real sockets. */

const boundDollars = 1;
const outputTokensMax = 100;

let first: FakeProvider;
let second: FakeProvider;
let gateway: GatewayProcess;

function deployment(group: string, model: string, upstream: FakeProvider, more: string[] = []): string {
  return [
    `  - model_name: ${group}`,
    '    litellm_params:',
    `      model: ${model}`,
    `      api_base: "${upstream.url}/v1"`,
    '      api_key: none',
    '      input_cost_per_token: 0',
    `      output_cost_per_token: ${boundDollars / outputTokensMax}`,
    ...more.map((line) => `      ${line}`),
  ].join('\n');
}

beforeAll(async () => {
  [first, second] = await Promise.all([startFakeProvider(), startFakeProvider()]);
  const whole = { text: 'word '.repeat(30), usage: { inputTokens: 5, outputTokens: outputTokensMax } };
  first.setDefault(whole);
  second.setDefault(whole);
  gateway = await startGateway({
    config: [
      'model_list:',
      deployment('pair', 'openai/cheap', first, ['max_budget: 3', 'budget_duration: 1d', 'order: 1']),
      deployment('pair', 'openai/other', second, ['order: 2']),
      deployment('alone', 'openai/alone', first, ['max_budget: 2', 'budget_duration: 1d']),
      deployment('vendors', 'groq/a', first, ['order: 1']),
      deployment('vendors', 'deepseek/b', second, ['order: 2']),
      deployment('rescued', 'openai/rescued', first, ['max_budget: 0']),
      deployment('rescue', 'openai/rescue', second),
      'router_settings:',
      '  num_retries: 0',
      '  fallbacks: [{ rescued: [rescue] }]',
      '  provider_budget_config:',
      '    groq: { budget_limit: 2, time_period: 1d }',
    ].join('\n'),
  });
});

afterAll(async () => {
  await gateway?.stop();
  await Promise.all([first?.close(), second?.close()]);
});

async function ask(model: string, turns: number, key?: string) {
  const answers = await Promise.all(
    Array.from({ length: turns }, (_, turn) =>
      gateway.post(
        '/v1/chat/completions',
        { model, max_tokens: outputTokensMax, messages: [{ role: 'user', content: `Turn ${turn}` }] },
        key,
      ),
    ),
  );
  return Promise.all(answers.map(async (answer) => ({ status: answer.status, body: await answer.text() })));
}

const billed = (fake: FakeProvider, model: string) => fake.invoice.filter((entry) => entry.model === model).length;

describe('budgets of the route', () => {
  it('uses a deployment up to its cap exactly, then goes round it', async () => {
    const answers = await ask('pair', 10);
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(billed(first, 'cheap')).toBe(3);
    expect(billed(second, 'other')).toBe(7);
  });

  it('refuses with 429 and its figures when the only deployment is used up', async () => {
    const answers = await ask('alone', 6);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.map(({ status }) => status)).toEqual([429, 429, 429, 429]);
    expect(JSON.parse(refused[0]!.body)).toMatchObject({
      error: { type: 'None', message: expect.stringMatching(/^No deployments available - crossed budget/) },
    });
    expect(billed(first, 'alone')).toBe(2);
  });

  it('keeps one provider under its cap and takes the other', async () => {
    const answers = await ask('vendors', 6);
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect(billed(first, 'a')).toBe(2);
    expect(billed(second, 'b')).toBe(4);
  });

  it('goes to the fallback when the group has no budget left', async () => {
    expect((await ask('rescued', 2)).map(({ status }) => status)).toEqual([200, 200]);
    expect(billed(second, 'rescue')).toBe(2);
  });
});

describe('budgets of the chain', () => {
  it('holds team-member and tag budgets in chat, completions, messages and embeddings', async () => {
    await gateway.post('/team/new', { team_id: 'crew', team_member_budget: 0.5 });
    await gateway.post('/team/member_add', { team_id: 'crew', member: { role: 'user', user_id: 'ann' } });
    await gateway.post('/tag/new', { name: 'scarce', max_budget: 0.5 });
    const made = async (body: object) => await gateway.makeKey(body);
    const member = await made({ team_id: 'crew', user_id: 'ann' });
    const tagged = await made({ tags: ['scarce'] });
    const messages = [{ role: 'user', content: 'Hello' }];
    const bodies: readonly (readonly [string, object])[] = [
      ['/v1/chat/completions', { model: 'rescue', max_tokens: outputTokensMax, messages }],
      ['/v1/messages', { model: 'rescue', max_tokens: outputTokensMax, messages }],
      ['/v1/chat/completions', { model: 'rescue', max_tokens: outputTokensMax, messages, stream: true }],
      ['/v1/completions', { model: 'rescue', max_tokens: outputTokensMax, prompt: 'Hello' }],
    ];
    for (const [key, words] of [
      [member, 'Team member=crew/ann'],
      [tagged, 'Tag=scarce'],
    ] as const) {
      for (const [path, body] of bodies) {
        const answer = await gateway.post(path, body, key);
        expect(answer.status, `${path} ${words}`).toBe(429);
        expect(await answer.text()).toContain(`Budget has been exceeded! ${words}`);
      }
    }
  });
});
