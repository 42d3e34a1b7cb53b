import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* What the operator says of every key that is made, and of requests that leave something out. */
let upstream: FakeProvider;
let gateway: GatewayProcess;

beforeAll(async () => {
  upstream = await startFakeProvider();
  upstream.setDefault({ usage: { inputTokens: 1, outputTokens: 100 } });
  gateway = await startGateway({
    config: `
model_list:
  - model_name: plain
    litellm_params: { model: openai/plain, api_base: "${upstream.url}/v1", api_key: none, input_cost_per_token: 0, output_cost_per_token: 0.01 }
litellm_settings:
  default_key_generate_params: { max_budget: 2, models: [plain], metadata: { origin: default } }
  upperbound_key_generate_params: { max_budget: 10, budget_duration: 30d, duration: 90d, rpm_limit: 100, tpm_limit: 5000 }
  extra_spend_tag_headers: [X-Cost-Center]
  max_end_user_budget_id: everybody
general_settings: { completion_model: plain, token_rate_limit_type: output }
`,
  });
  await gateway.post('/budget/new', { budget_id: 'everybody', max_budget: 1 });
});

afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

async function json(path: string, body: unknown, key?: string, headers = {}) {
  const response = await gateway.post(path, body, key, headers);
  return { status: response.status, body: (await response.json()) as Record<string, never> };
}
const hello = { max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] };

it('a key that says nothing gets the defaults and the upper bounds, one that asks for more is refused', async () => {
  const plain = await json('/key/generate', {});
  expect(plain.body).toMatchObject({
    max_budget: 2,
    models: ['plain'],
    metadata: { origin: 'default' },
    budget_duration: '30d',
    rpm_limit: 100,
    tpm_limit: 5000,
    expires: expect.any(String),
  });
  const own = await json('/key/generate', { max_budget_usd: 9, rpm_limit: 3, duration: '1d' });
  expect(own.body).toMatchObject({ max_budget: 9, rpm_limit: 3 });
  for (const [asked, words] of [
    [{ max_budget: 11 }, /max_budget is over max limit set in config - user_value=11\.0; max_value=10\.0/],
    [{ duration: '1y' }, /duration/],
    [{ duration: '120d' }, /duration is over max limit set in config - user_value=120d; max_value=90d/],
    [{ rpm_limit: 101 }, /rpm_limit is over max limit .* user_value=101; max_value=100/],
  ] as const) {
    const refused = await json('/key/generate', asked);
    expect([refused.status, JSON.stringify(refused.body)]).toEqual([400, expect.stringMatching(words)]);
  }
});

it('who is no administrator cannot lift the bounds afterwards', async () => {
  const user = await json('/user/new', { user_role: 'internal_user' });
  const key = String(user.body.key);
  const wider = await json('/key/update', { key, rpm_limit: 1_000 }, key);
  expect([400, 403]).toContain(wider.status);
  const lifted = await json('/key/update', { key, rpm_limit: null }, key);
  expect([400, 403]).toContain(lifted.status);
  expect((await json('/key/update', { key, rpm_limit: 1_000 })).status).toBe(200);
});

it('requests that name no model, headers that become tags, end users without a budget of their own', async () => {
  const key = String((await json('/key/generate', { max_budget: 10 })).body.key);
  const first = await json('/v1/chat/completions', { ...hello, user: 'ada' }, key, { 'x-cost-center': 'blue' });
  expect(first.status, JSON.stringify(first.body)).toBe(200);
  expect(first.body.model).toBe('plain');
  const second = await json('/v1/chat/completions', { ...hello, user: 'ada' }, key);
  expect([second.status, JSON.stringify(second.body)]).toEqual([429, expect.stringContaining('End User=ada')]);
  expect((await json('/v1/chat/completions', { ...hello, user: 'bob' }, key)).status).toBe(200);
  const rows = (await (await gateway.get('/spend/logs')).json()) as { request_tags: string[] }[];
  expect(rows.some(({ request_tags }) => request_tags.includes('x-cost-center: blue'))).toBe(true);
});

it('a key is promised no more than its team has left', async () => {
  const team = String((await json('/team/new', { rpm_limit: 100, model_rpm_limit: { plain: 10 } })).body.team_id);
  const promised = { team_id: team, rpm_limit_type: 'guaranteed_throughput' };
  const first = await json('/key/generate', { ...promised, rpm_limit: 60 });
  expect(first).toMatchObject({ status: 200, body: { rpm_limit: 60, rpm_limit_type: 'guaranteed_throughput' } });
  const refused = await json('/key/generate', { ...promised, rpm_limit: 50 });
  expect([refused.status, JSON.stringify(refused.body)]).toEqual([
    400,
    expect.stringContaining('Allocated RPM limit=60 + Key RPM limit=50 is greater than team RPM limit=100'),
  ]);
  const second = await json('/key/generate', { ...promised, rpm_limit: 40, model_rpm_limit: { plain: 4 } });
  expect(second.status, JSON.stringify(second.body)).toBe(200);
  // A key's own former limit does not stand in its way, and what has nothing to do with limits stays possible.
  const key = String(second.body.key);
  expect((await json('/key/update', { key, rpm_limit: 41 })).status).toBe(400);
  expect((await json('/key/update', { key, rpm_limit: 39 })).status).toBe(200);
  const byModel = await json('/key/update', { key, model_rpm_limit: { plain: 11 } });
  expect([byModel.status, JSON.stringify(byModel.body)]).toEqual([
    400,
    expect.stringContaining('RPM (plain) limit=11'),
  ]);
  await json('/team/update', { team_id: team, rpm_limit: 10 });
  expect((await json('/key/update', { key, key_alias: 'renamed' })).status).toBe(200);
  // Without the promise the team's limit holds when requests come.
  expect((await json('/key/generate', { team_id: team, rpm_limit: 90 })).status).toBe(200);
  expect((await json('/key/generate', { team_id: team, rpm_limit_type: 'guaranteed' })).status).toBe(422);
});
