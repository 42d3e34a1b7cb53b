import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { selling } from './support/config-text.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* Budgets that change while they are used, money given back, and figures that are none. */
const outputTokensMax = 100;

let upstream: FakeProvider;
let gateway: GatewayProcess;

beforeAll(async () => {
  upstream = await startFakeProvider();
  upstream.setDefault({ text: 'word '.repeat(30), usage: { inputTokens: 5, outputTokens: outputTokensMax } });
  gateway = await startGateway({ config: selling(upstream.url, { dollar: 1 / outputTokensMax, free: 0 }) });
});

afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
});

type Body = Record<string, unknown>;

async function call(path: string, body: Body): Promise<{ status: number; body: Body }> {
  const answer = await gateway.post(path, body);
  return { status: answer.status, body: (await answer.json()) as Body };
}

async function makeKey(body: Body): Promise<string> {
  return String((await call('/key/generate', body)).body.key);
}

async function ask(key: string, model = 'dollar'): Promise<{ status: number; id: string }> {
  const messages = [{ role: 'user', content: 'Hello' }];
  const answer = await gateway.post('/v1/chat/completions', { model, max_tokens: outputTokensMax, messages }, key);
  await answer.arrayBuffer();
  return { status: answer.status, id: answer.headers.get('x-litellm-call-id') ?? '' };
}

const statuses = async (key: string, turns: number) => {
  const seen: number[] = [];
  for (let turn = 0; turn < turns; turn++) seen.push((await ask(key)).status);
  return seen;
};

async function chain(key: string, by = key): Promise<{ status: number; accounts: Body[] }> {
  const answer = await gateway.get(`/budget/chain?key=${key}`, by);
  return { status: answer.status, accounts: ((await answer.json()) as { accounts: Body[] }).accounts };
}

describe('budget life', () => {
  it('blocks at a cap of 0 at once, except for free models', async () => {
    const key = await makeKey({ max_budget: 0 });
    expect((await ask(key)).status).toBe(429);
    expect((await ask(key, 'free')).status).toBe(200);
  });

  it('follows a cap that is raised, lowered and raised for a while', async () => {
    const key = await makeKey({ max_budget: 2 });
    expect(await statuses(key, 3)).toEqual([200, 200, 429]);
    await call('/key/update', { key, max_budget: 3 });
    expect(await statuses(key, 2)).toEqual([200, 429]);
    await call('/key/update', { key, max_budget: 1 });
    expect(await statuses(key, 1)).toEqual([429]);
    await call('/key/update', { key, max_budget: 3, temp_budget_increase: 1, temp_budget_expiry: '2s' });
    expect((await chain(key)).accounts[0]).toMatchObject({ max_budget: 4, temp_budget_increase: 1, spent: 3 });
    expect(await statuses(key, 2)).toEqual([200, 429]);
    await call('/key/update', { key, max_budget: 4 });
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    expect(await statuses(key, 1)).toEqual([429]);
  });

  it('serves under the highest cap that is raised by as much again', async () => {
    const key = await makeKey({ max_budget: 9_000_000 });
    await call('/key/update', { key, temp_budget_increase: 9_000_000, temp_budget_expiry: '1h' });
    expect(await statuses(key, 2)).toEqual([200, 200]);
    // More than the books can hold is the most they can hold.
    expect((await chain(key)).accounts[0]).toMatchObject({ max_budget: 9_007_199.254740991 });
  });

  it('shows cap, spent, held and window of the whole chain, to those who may see the key', async () => {
    await call('/organization/new', { organization_id: 'org', organization_alias: 'org', max_budget: 50 });
    await call('/team/new', { team_id: 'crew', organization_id: 'org', max_budget: 20, soft_budget: 10 });
    const key = await makeKey({ team_id: 'crew', user_id: 'ann', max_budget: 5, budget_duration: '1d', tags: ['t'] });
    await ask(key);
    const { accounts } = await chain(key);
    expect(accounts.map(({ scope }) => scope)).toEqual(expect.arrayContaining(['key', 'team', 'organization', 'tag']));
    expect(accounts[0]).toMatchObject({ scope: 'key', max_budget: 5, spent: 1, held: 0, remaining: 4 });
    expect(Date.parse(String(accounts[0]!.window_end)) - Date.parse(String(accounts[0]!.window_start))).toBe(
      86_400_000,
    );
    expect(accounts.find(({ scope }) => scope === 'team')).toMatchObject({ soft_budget: 10, spent: 1, remaining: 19 });
    const stranger = await makeKey({});
    expect((await chain(key, stranger)).status).toBe(404);
  });

  it('gives money back with actor and reason, once for a request, in one step with the audit log', async () => {
    const key = await makeKey({ max_budget: 2 });
    const { id } = await ask(key);
    await ask(key);
    expect((await ask(key)).status).toBe(429);
    const credited = await call('/budget/adjust', { scope: 'key', id: key, amount: 0.5, reason: 'goodwill' });
    expect(credited).toMatchObject({ status: 200, body: { accounts: [{ scope: 'key', spent: 1.5 }] } });
    const voided = await call('/budget/adjust', {
      scope: 'key',
      id: key,
      request_id: id,
      reason: 'answer was garbage',
    });
    expect(voided).toMatchObject({ status: 200, body: { accounts: [{ spent: 0.5 }] } });
    const twice = await call('/budget/adjust', { scope: 'key', id: key, request_id: id, reason: 'again' });
    expect(twice.status).toBe(400);
    expect(JSON.stringify(twice.body)).toContain('were given back before');
    const tooMuch = await call('/budget/adjust', { scope: 'key', id: key, amount: 1, reason: 'more than was spent' });
    expect(tooMuch.status).toBe(400);
    expect((await chain(key)).accounts[0]).toMatchObject({ spent: 0.5, remaining: 1.5 });
    expect(await statuses(key, 2)).toEqual([200, 429]);
    const audit = await (await gateway.get('/audit?page_size=100')).text();
    expect(audit).toContain('answer was garbage');
    expect(audit).not.toContain('more than was spent');
    const own = await gateway.post('/budget/adjust', { scope: 'key', id: key, amount: 0.1, reason: 'mine' }, key);
    expect(own.status).toBe(403);
  });
});

describe('figures that are none', () => {
  const bad: readonly (readonly [name: string, path: string, body: Body, words: string])[] = [
    ['a negative budget', '/key/generate', { max_budget: -1 }, 'max_budget'],
    ['a unit', '/key/generate', { max_budget: '10 USD' }, 'a number without a unit'],
    ['NaN', '/key/generate', { max_budget: 'NaN' }, 'max_budget'],
    ['too much', '/team/new', { max_budget: 9_000_001 }, '9,000,000'],
    ['a soft budget below 0', '/user/new', { soft_budget: -0.5 }, 'soft_budget'],
    ['a window of nothing', '/key/generate', { max_budget: 1, budget_duration: '30 days' }, 'budget_duration'],
    ['a window that is a number', '/key/generate', { budget_duration: 30 }, 'a duration as a text such as 30s'],
    ['a window of months', '/budget/new', { max_budget: 1, budget_duration: '2mo' }, 'whole calendar months'],
    ['a model budget', '/key/generate', { model_max_budget: { dollar: { budget_limit: -1 } } }, 'dollar'],
    [
      'a model window',
      '/key/generate',
      { model_max_budget: { dollar: { max_budget: 1, time_period: 'x' } } },
      'time_period',
    ],
    ['windows', '/key/generate', { budget_limits: [{ max_budget: '5 EUR', budget_duration: '1d' }] }, 'budget_limits'],
    ['an endless increase', '/key/update', { temp_budget_increase: 1 }, 'temp_budget_expiry is missing'],
    ['a credit of nothing', '/budget/adjust', { scope: 'key', id: 'x', amount: 0, reason: 'r' }, 'amount'],
    ['a credit without reason', '/budget/adjust', { scope: 'key', id: 'x', amount: 1, reason: ' ' }, 'reason'],
  ];
  it.each(bad)('%s is refused with the field and what would be right', async (_name, path, body, words) => {
    const given = path === '/key/update' ? { ...body, key: await makeKey({}) } : body;
    const { status, body: told } = await call(path, given);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(JSON.stringify(told)).toContain(words);
  });
});
