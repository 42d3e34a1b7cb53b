import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FakeProvider, serverError, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* What a key or a team may say of its own requests: routing, limits by tag, cheaper models when a budget is spent. */
let first: FakeProvider;
let second: FakeProvider;
let gateway: GatewayProcess;

const deployment = (group: string, url: string, more = '') => `  - model_name: ${group}
    litellm_params:
      model: openai/${group}
      api_base: "${url}/v1"
      api_key: none
      input_cost_per_token: 0
      output_cost_per_token: 0.01
${more}`;

beforeAll(async () => {
  first = await startFakeProvider();
  second = await startFakeProvider();
  for (const provider of [first, second]) provider.setDefault({ usage: { inputTokens: 1, outputTokens: 100 } });
  gateway = await startGateway({
    config: `
model_list:
${deployment('dear', first.url)}
${deployment('cheap', second.url, '      tags: [nightly, daily]\n')}
${deployment('limited', second.url, '      default_api_key_rpm_limit: 1\n')}
${deployment('agents', first.url, '      tag_regex: ["^User-Agent: claude-code/", "(broken"]\n')}
${deployment('agents', second.url, '      tags: [default]\n')}
router_settings: { num_retries: 0, enable_tag_filtering: true }
litellm_settings: { budget_exceeded_throttle_percentage: 0.5 }
`,
  });
});

afterAll(async () => {
  await gateway?.stop();
  await first?.close();
  await second?.close();
});

async function made(path: string, body: unknown): Promise<Record<string, string>> {
  const response = await gateway.post(path, body);
  const answer = (await response.json()) as Record<string, string>;
  expect(response.status, JSON.stringify(answer)).toBe(200);
  return answer;
}

async function ask(key: string | undefined, changes: Record<string, unknown> = {}, headers = {}) {
  const response = await gateway.post(
    '/v1/chat/completions',
    { model: 'dear', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }], ...changes },
    key,
    headers,
  );
  return { response, body: (await response.json()) as Record<string, never> };
}

it('a key’s router_settings take the place of its team’s, and those of the gateway’s', async () => {
  const team = await made('/team/new', { team_alias: 'routed', router_settings: { fallbacks: [{ dear: ['cheap'] }] } });
  const ofTeam = await made('/key/generate', { team_id: team.team_id });
  const own = await made('/key/generate', {
    team_id: team.team_id,
    router_settings: { fallbacks: [], model_group_alias: { best: 'cheap' } },
  });
  const plain = await made('/key/generate', {});
  first.setDefault(serverError(503));
  try {
    const fallen = await ask(ofTeam.key);
    expect(fallen.response.status).toBe(200);
    expect(fallen.response.headers.get('x-litellm-model-group')).toBe('cheap');
    for (const key of [own.key, plain.key]) expect((await ask(key)).response.status).toBe(503);
    expect((await ask(own.key, { model: 'best' })).response.status).toBe(200);
    expect((await ask(plain.key, { model: 'best' })).response.status).toBe(400);
  } finally {
    first.setDefault({ usage: { inputTokens: 1, outputTokens: 100 } });
  }
  const refused = await gateway.post('/key/generate', { router_settings: { routing_strategy: 'fastest' } });
  expect(refused.status).toBe(422);
  expect(await refused.text()).toMatch(/router_settings.*routing_strategy: /);
  const shared = await gateway.post('/key/generate', { router_settings: { cooldown_time: 1 } });
  expect(await shared.text()).toMatch(/cooldown_time cannot be set here: use routing_strategy, /);
});

it('a model whose own budget is spent is replaced by the first of budget_fallbacks that fits', async () => {
  const { key } = await made('/key/generate', {
    model_max_budget: {
      dear: { budget_limit: 1, time_period: '1d' },
      limited: { budget_limit: 0.1, time_period: '1d' },
    },
    budget_fallbacks: { dear: ['limited', 'cheap'] },
  });
  const groups: (string | null)[] = [];
  for (let turn = 0; turn < 2; turn++) groups.push((await ask(key)).response.headers.get('x-litellm-model-group'));
  expect(groups).toEqual(['dear', 'cheap']);
  const { key: without } = await made('/key/generate', {
    model_max_budget: { dear: { budget_limit: 1, time_period: '1d' } },
  });
  await ask(without);
  const refused = await ask(without);
  expect([refused.response.status, JSON.stringify(refused.body)]).toEqual([
    429,
    expect.stringContaining('exceeded budget for model=dear'),
  ]);
});

it('throttle_on_budget_exceeded leaves a key that is over its budget a share of its rate', async () => {
  const spent = { max_budget: 1.5, rpm_limit: 6, throttle_on_budget_exceeded: true };
  const { key } = await made('/key/generate', spent);
  const { key: without } = await made('/key/generate', { ...spent, rpm_limit: null });
  const team = await made('/team/new', { max_budget: 2.5 });
  const { key: ofTeam } = await made('/key/generate', { ...spent, team_id: team.team_id });
  const statuses = async (of: string | undefined) => {
    const seen: number[] = [];
    for (let turn = 0; turn < 5; turn++) seen.push((await ask(of)).response.status);
    return seen;
  };
  // One within the budget, two more until half of six requests a minute are used up.
  expect(await statuses(key)).toEqual([200, 200, 200, 429, 429]);
  const refused = await ask(key);
  expect(JSON.stringify(refused.body)).toMatch(/Limit type: requests. Current limit: 3/);
  const { info } = (await (await gateway.get(`/key/info?key=${key}`)).json()) as { info: { spend: number } };
  expect(info.spend).toBe(3);
  // Nothing to slow; and the team's budget stops as ever.
  expect(await statuses(without)).toEqual([200, 429, 429, 429, 429]);
  expect(await statuses(ofTeam)).toEqual([200, 200, 429, 429, 429]);
  const odd = await gateway.post('/key/generate', { throttle_on_budget_exceeded: 'yes' });
  expect(odd.status).toBe(422);
});

it('tag_rpm_limit holds for requests with the tag, default_api_key_rpm_limit for each key on the model', async () => {
  const { key } = await made('/key/generate', { tag_rpm_limit: { nightly: 1 } });
  const statuses: number[] = [];
  for (const tags of [['nightly'], ['nightly'], ['daily'], ['daily']]) {
    statuses.push((await ask(key, { tags, model: 'cheap' })).response.status);
  }
  expect(statuses).toEqual([200, 429, 200, 200]);
  const one = await ask(key, { model: 'limited' });
  expect(one.response.headers.get('x-litellm-key-remaining-requests-limited')).toBe('0');
  expect((await ask(key, { model: 'limited' })).response.status).toBe(429);
  const { key: other } = await made('/key/generate', { model_rpm_limit: { limited: 5 } });
  for (let turn = 0; turn < 2; turn++) expect((await ask(other, { model: 'limited' })).response.status).toBe(200);
});

it('tag_regex sends a kind of client to its deployment; a pattern that cannot be read is left out and told', async () => {
  const before = [first.requests.length, second.requests.length];
  await ask(undefined, { model: 'agents' }, { 'user-agent': 'claude-code/2.1 (cli)' });
  await ask(undefined, { model: 'agents' }, { 'user-agent': 'curl/8' });
  expect([first.requests.length - before[0]!, second.requests.length - before[1]!]).toEqual([1, 1]);
  expect(gateway.log()).toContain('the pattern (broken is left out');
});
