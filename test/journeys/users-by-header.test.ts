import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/* A front end with one key for all its people says in a header for whom it asks (`user_header_mappings`, `internal_user`). */

let upstream: FakeProvider;
let gateway: GatewayProcess;
let key: string;

beforeAll(async () => {
  upstream = await startFakeProvider();
  upstream.setDefault({ usage: { inputTokens: 1, outputTokens: 100 } });
  const at = `api_base: "${upstream.url}/v1", api_key: none, input_cost_per_token: 0, output_cost_per_token: 0.01`;
  gateway = await startGateway({
    config: `
model_list:
  - { model_name: plain, litellm_params: { model: openai/plain, ${at} } }
  - { model_name: other, litellm_params: { model: openai/other, ${at} } }
litellm_settings: { max_internal_user_budget: 1 }
general_settings:
  user_header_mappings:
    - { header_name: X-OpenWebUI-User-Email, litellm_user_role: internal_user }
    - { header_name: X-OpenWebUI-User-Id, litellm_user_role: customer }
`,
  });
  key = String((await json('/key/generate', { models: ['plain', 'other'] })).body.key);
  await json('/user/new', { user_id: 'ann@example.com', max_budget: 2, models: ['plain'] });
});
afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

async function json(path: string, body: unknown, by = masterKey, headers = {}) {
  const response = await gateway.post(path, body, by, headers);
  return { status: response.status, body: (await response.json()) as Record<string, never> };
}
const hello = { max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] };
const asks = (user: string, model = 'plain', by = key) =>
  json('/v1/chat/completions', { model, ...hello }, by, {
    'x-openwebui-user-email': user,
    'x-openwebui-user-id': 'u-1',
  });

it('each has a budget of their own, known or by default, and rows of their own', async () => {
  expect([(await asks('ann@example.com')).status, (await asks('ann@example.com')).status]).toEqual([200, 200]);
  const over = await asks('ann@example.com');
  expect(over.status).toBe(429);
  expect(JSON.stringify(over.body)).toContain('ann@example.com');
  // Nobody knows this one: the default holds one request.
  expect([(await asks('bob@example.com')).status, (await asks('bob@example.com')).status]).toEqual([200, 429]);
  const ann = await (await gateway.get('/user/info?user_id=ann@example.com')).json();
  expect(ann).toMatchObject({ user_info: { spend: 2 } });
  const rows = (await (await gateway.get('/spend/logs?user_id=ann@example.com')).json()) as Record<string, unknown>[];
  expect(rows.filter(({ status }) => status === 'success')).toHaveLength(2);
  expect(rows[0]).toMatchObject({ user: 'ann@example.com', end_user: 'u-1' });
});

it('their models count, and a change does within a second', async () => {
  const refused = await asks('ann@example.com', 'other');
  expect(refused.status).toBe(403);
  await json('/user/update', { user_id: 'ann@example.com', max_budget: 4, models: ['plain', 'other'] });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect((await asks('ann@example.com', 'other')).status).toBe(200);
});

it('the key without the header is nobody’s, and the master key stays what it is', async () => {
  expect((await json('/v1/chat/completions', { model: 'other', ...hello }, key)).status).toBe(200);
  for (let asked = 0; asked < 3; asked++) expect((await asks('bob@example.com', 'plain', masterKey)).status).toBe(200);
  const rows = (await (await gateway.get('/spend/logs?user_id=bob@example.com')).json()) as Record<string, unknown>[];
  expect(rows.filter(({ status }) => status === 'success')).toHaveLength(4);
});
