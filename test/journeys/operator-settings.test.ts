import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/* What an operator may set beside keys and models: what goes on to providers, who may call what, who is held where. */

let first: FakeProvider;
let second: FakeProvider;
let gateway: GatewayProcess;

beforeAll(async () => {
  [first, second] = await Promise.all([startFakeProvider(), startFakeProvider()]);
  const at = (fake: FakeProvider, more = '') =>
    `{ model: openai/m, api_base: "${fake.url}/v1", api_key: sk-of-the-operator${more} }`;
  gateway = await startGateway({
    config: `
model_list:
  - { model_name: priced, litellm_params: ${at(first, ', input_cost_per_token: 0.001, output_cost_per_token: 0.01')} }
  - { model_name: held, litellm_params: ${at(first)}, model_info: { id: held-1 } }
  - { model_name: held, litellm_params: ${at(second)}, model_info: { id: held-2 } }
  - { model_name: cheapest, litellm_params: ${at(first, ', input_cost_per_token: 9')}, model_info: { id: dear } }
  - { model_name: cheapest, litellm_params: ${at(second, ', input_cost_per_token: 1')}, model_info: { id: cheap } }
  - { model_name: shared, litellm_params: ${at(first, ', rpm: 4')} }
  - { model_name: elsewhere, litellm_params: ${at(first)}, model_info: { supported_environments: [production] } }
router_settings:
  routing_groups: [{ group_name: cheap ones, models: [cheapest], routing_strategy: cost-based-routing }]
  optional_pre_call_checks: [session_affinity]
litellm_settings:
  include_cost_in_streaming_usage: true
  priority_reservation: { gold: 0.5 }
  default_team_params: { max_budget: 7, budget_duration: 30d, models: [priced] }
  default_internal_user_params: { user_role: internal_user_viewer, max_budget: 3 }
  enable_key_alias_format_validation: true
  key_generation_settings: { team_key_generation: { required_params: [tags] } }
general_settings:
  forward_client_headers_to_llm_api: true
  forward_openai_org_id: true
  forward_llm_provider_auth_headers: true
  admin_only_routes: [/v1/embeddings, /key/info]
  service_account_settings: { enforced_params: [user] }
`,
    env: { LITELLM_ENVIRONMENT: 'staging' },
  });
});

afterAll(async () => {
  await gateway?.stop();
  await Promise.all([first?.close(), second?.close()]);
});

const hello = { messages: [{ role: 'user', content: 'Hello' }] };

async function json(path: string, body: unknown, key = masterKey, headers: Record<string, string> = {}) {
  const answer = await gateway.post(path, body, key, headers);
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, never> };
}
const chat = (model: string, key?: string, headers?: Record<string, string>, more = {}) =>
  json('/v1/chat/completions', { model, ...hello, ...more }, key, headers);
const newKey = async (body: object) => String((await json('/key/generate', body)).body.key);

it('the usage at the end of a stream tells its cost, as the row does', async () => {
  first.setDefault({ usage: { inputTokens: 100, outputTokens: 10 } });
  const body = { model: 'priced', stream: true, stream_options: { include_usage: true }, ...hello };
  const answer = await gateway.post('/v1/chat/completions', body);
  expect(await answer.text()).toMatch(/"usage":\{[^\n]*"cost":0\.2\}/);
  const silent = await gateway.post('/v1/chat/completions', { ...body, stream_options: undefined });
  expect(await silent.text()).not.toContain('cost');
  // The other formats end as they always do.
  const messages = await gateway.post('/v1/messages', { model: 'priced', max_tokens: 9, stream: true, ...hello });
  expect(await messages.text()).toContain('message_stop');
});

it('headers of the caller go on, its virtual key never, a provider key it brings in place of ours', async () => {
  const key = await newKey({ models: ['priced'] });
  const sent = async (headers: Record<string, string>) => {
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'priced', ...hello }),
    });
    expect(answer.status).toBe(200);
    return first.requests.at(-1)!.headers;
  };
  const headers = {
    'x-tenant': 'blue',
    'x-api-key': 'other',
    'x-forwarded-for': '10.0.0.1',
    'openai-organization': 'o',
  };
  const plain = await sent({ authorization: `Bearer ${key}`, ...headers });
  expect(plain).toMatchObject({ 'x-tenant': 'blue', 'openai-organization': 'o' });
  expect(plain.authorization).toBe('Bearer sk-of-the-operator');
  expect(JSON.stringify(plain)).not.toMatch(/other|10\.0\.0\.1/);
  const own = await sent({ 'x-litellm-api-key': key, authorization: 'Bearer sk-of-the-caller' });
  expect(own.authorization).toBe('Bearer sk-of-the-caller');
  const twice = await sent({ 'x-litellm-api-key': key, authorization: `Bearer ${key}` });
  expect(twice.authorization).toBe('Bearer sk-of-the-operator');
  expect(JSON.stringify(first.requests)).not.toContain(key);
});

it('a group has a strategy of its own, and a session stays where it is', async () => {
  for (let turn = 0; turn < 6; turn++) {
    expect((await chat('cheapest')).headers.get('x-litellm-model-id')).toBe('cheap');
  }
  const seen = new Set<string>();
  for (const session of ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight']) {
    const places = new Set<string>();
    for (let turn = 0; turn < 4; turn++) {
      const answer = await chat('held', undefined, { 'x-litellm-session-id': session });
      places.add(String(answer.headers.get('x-litellm-model-id')));
    }
    expect(places.size).toBe(1);
    for (const place of places) seen.add(place);
  }
  expect([...seen].sort()).toEqual(['held-1', 'held-2']);
});

it('what is reserved for a priority nobody else can use', async () => {
  const plain = await newKey({ models: ['shared'] });
  const gold = await newKey({ models: ['shared'], metadata: { priority: 'gold' } });
  const statuses = [];
  for (let turn = 0; turn < 3; turn++) statuses.push((await chat('shared', plain)).status);
  expect(statuses).toEqual([200, 200, 429]);
  const refused = await chat('shared', plain);
  expect(JSON.stringify(refused.body)).toContain('keys without priority');
  for (let turn = 0; turn < 2; turn++) expect((await chat('shared', gold)).status).toBe(200);
});

it('closed routes, other environments, fields of service accounts', async () => {
  const key = await newKey({});
  const closed = await json('/v1/embeddings', { model: 'priced', input: 'x' }, key);
  expect([closed.status, JSON.stringify(closed.body)]).toEqual([403, expect.stringContaining('admin only route')]);
  expect((await gateway.get('/key/info', key)).status).toBe(403);
  expect((await gateway.get('/models', key)).status).toBe(200);
  const elsewhere = await chat('elsewhere', key);
  expect([elsewhere.status, JSON.stringify(elsewhere.body)]).toEqual([
    400,
    expect.stringContaining('it is for production, and this is staging'),
  ]);
  const team = String((await json('/team/new', { team_id: 'robots' })).body.team_id);
  const robot = String((await json('/key/service-account/generate', { team_id: team, tags: ['t'] })).body.key);
  expect((await chat('priced', robot)).status).toBe(400);
  expect((await chat('priced', robot, {}, { user: 'ada', max_tokens: 10 })).status).toBe(200);
});

it('new teams, users and keys are made as the operator says', async () => {
  const team = await json('/team/new', { team_id: 'blue', models: ['held'] });
  expect(team.body).toMatchObject({ max_budget: 7, budget_duration: '30d', models: ['held'] });
  const user = await json('/user/new', { user_id: 'kim', max_budget: 1 });
  expect(user.body).toMatchObject({ user_role: 'internal_user_viewer', max_budget: 1 });
  const untagged = await json('/key/generate', { team_id: 'blue' });
  expect([untagged.status, JSON.stringify(untagged.body)]).toEqual([400, expect.stringContaining('tags: required')]);
  expect((await json('/key/generate', { team_id: 'blue', tags: ['a'] })).status).toBe(200);
  expect((await json('/key/generate', { key_alias: '<b>no</b>' })).status).toBe(400);
});
