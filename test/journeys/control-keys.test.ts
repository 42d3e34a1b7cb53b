import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlJourney, startControlPlane } from './control-plane.ts';

let journey: ControlJourney;
beforeAll(async () => {
  journey = await startControlPlane();
});
afterAll(() => journey.close());

const newKey = async (body: object = {}) => (await journey.call('POST /key/generate', { body })).json;
const statusOf = async (key: string) => (await journey.call('GET /key/info', { key })).status;

describe('virtual keys', () => {
  it('are made as LiteLLM makes them and shown once', async () => {
    const { status, json } = await journey.call('POST /key/generate', {
      body: {
        models: ['llama-4-scout'],
        max_budget: 500,
        budget_duration: '30d',
        key_alias: 'team-a',
        no_such_field: 1,
      },
    });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      key: expect.stringMatching(/^sk-[A-Za-z0-9_-]{43}$/),
      token: expect.stringMatching(/^[0-9a-f]{64}$/),
      key_alias: 'team-a',
      models: ['llama-4-scout'],
      spend: 0,
      max_budget: 500,
      budget_duration: '30d',
      budget_limits: null,
      user_id: null,
      team_id: null,
      metadata: {},
      tpm_limit: null,
      rpm_limit: null,
      max_parallel_requests: null,
      aliases: {},
      config: {},
      permissions: {},
      model_max_budget: {},
      allowed_cache_controls: [],
      allowed_routes: [],
      guardrails: null,
      blocked: null,
      expires: null,
      duration: null,
      soft_budget: null,
      litellm_budget_table: null,
      created_by: 'default_user_id',
      updated_by: 'default_user_id',
    });
    expect(json.token_id).toBe(json.token);
    expect(json.key_name).toBe(`sk-...${json.key.slice(-4)}`);
    expect(json).not.toHaveProperty('no_such_field');
    const info = await journey.call(`GET /key/info?key=${json.key}`);
    expect(info.json.key).toBe(json.key);
    expect(JSON.stringify(info.json.info)).not.toContain(json.key);
    expect(JSON.stringify(await journey.store.keys.get(json.token))).not.toContain(json.key);
    const audit = await journey.store.audit.list({ where: { objectId: json.token } });
    expect(audit).toMatchObject([{ action: 'created', actor: 'default_user_id', resource: 'key' }]);
    expect(JSON.stringify(audit)).not.toContain(json.key);
  });

  it('take the budget spellings of the tutorials', async () => {
    const key = await newKey({ max_budget_usd: 500, budget_duration: 'monthly' });
    expect(key).toMatchObject({ max_budget: 500, budget_duration: 'monthly' });
    const { json } = await journey.call(`GET /key/info?key=${key.token}`);
    expect(new Date(json.info.budget_reset_at).getUTCDate()).toBe(1);
    expect((await journey.store.keys.get(key.token))?.maxBudget).toBe(500_000_000_000);
  });

  it('reset their budgets on the calendar', async () => {
    const daily = (await journey.call(`GET /key/info?key=${(await newKey({ budget_duration: '1d' })).token}`)).json
      .info;
    expect(daily.budget_reset_at).toMatch(/T00:00:00.000Z$/);
    const weekly = (await journey.call(`GET /key/info?key=${(await newKey({ budget_duration: '7d' })).token}`)).json
      .info;
    expect(new Date(weekly.budget_reset_at).getUTCDay()).toBe(1);
  });

  it('refuse a second key of the same alias', async () => {
    await newKey({ key_alias: 'only-one' });
    const { status, json } = await journey.call('POST /key/generate', { body: { key_alias: 'only-one' } });
    expect(status).toBe(400);
    expect(json.error).toMatchObject({
      code: '400',
      param: 'key_alias',
      message: expect.stringContaining('already exists'),
    });
  });

  it('say what is wrong with a body', async () => {
    const wrong = await journey.call('POST /key/generate', { body: { max_budget: 'plenty', models: 'gpt' } });
    expect(wrong.status).toBe(422);
    expect(wrong.json.error).toMatchObject({ code: '422', message: expect.stringContaining('max_budget') });
    const duration = await journey.call('POST /key/generate', { body: { budget_duration: '3 fortnights' } });
    expect(duration.json.error.message).toContain('is not a duration');
    const broken = await journey.call('POST /key/generate', { body: '{"models": [' });
    expect(broken.status).toBe(400);
    expect(broken.json.error.message).toContain('not valid JSON');
    const ownKey = await journey.call('POST /key/generate', { body: { key: 'sk-short' } });
    expect(ownKey.status).toBe(400);
    expect(ownKey.text).not.toContain('sk-short');
    const team = await journey.call('POST /key/generate', { body: { team_id: 'nowhere' } });
    expect(team.status).toBe(400);
  });

  it('accept a key of the caller’s own choice, once', async () => {
    const own = 'sk-1234567890abcdef';
    expect((await newKey({ key: own })).key).toBe(own);
    expect((await journey.call('POST /key/generate', { body: { key: own } })).status).toBe(400);
  });

  it('keep what an update leaves out, clear what it nulls, and take 0 for a value', async () => {
    const key = await newKey({ max_budget: 5, rpm_limit: 7, models: ['a'], metadata: { team: 'x' } });
    const body = (fields: object) => ({ body: { key: key.key, ...fields } });
    expect((await journey.call('POST /key/update', body({ tpm_limit: 9 }))).json).toMatchObject({
      key: key.key,
      max_budget: 5,
      rpm_limit: 7,
      tpm_limit: 9,
      models: ['a'],
      metadata: { team: 'x' },
    });
    expect((await journey.call('POST /key/update', body({ max_budget: null, models: [] }))).json).toMatchObject({
      max_budget: null,
      rpm_limit: 7,
      models: [],
    });
    expect((await journey.call('POST /key/update', body({ max_budget: 0 }))).json.max_budget).toBe(0);
    expect(journey.invalidated).toContainEqual({ scope: 'key', id: key.token });
  });

  it('can be blocked, unblocked and deleted, at once', async () => {
    const key = await newKey({ key_alias: 'short-lived' });
    expect(await statusOf(key.key)).toBe(200);
    expect((await journey.call('POST /key/block', { body: { key: key.key } })).json.blocked).toBe(true);
    expect(await statusOf(key.key)).toBe(401);
    expect((await journey.call('POST /key/unblock', { body: { key: key.token } })).json.blocked).toBe(false);
    expect(await statusOf(key.key)).toBe(200);
    const deleted = await journey.call('POST /key/delete', { body: { key_aliases: ['short-lived'] } });
    expect(deleted.json).toEqual({ deleted_keys: ['short-lived'] });
    expect(await statusOf(key.key)).toBe(401);
    expect((await journey.call('POST /key/delete', { body: { keys: [key.key] } })).status).toBe(404);
  });

  it('rotate with a grace time in which both work and spend from one account', async () => {
    const old = await newKey({ key_alias: 'rotated', max_budget: 3, models: ['llama-4-scout'] });
    const { json } = await journey.call('POST /key/regenerate', { body: { key: old.key, grace_period: '1h' } });
    expect(json).toMatchObject({ key_alias: 'rotated', max_budget: 3, models: ['llama-4-scout'] });
    expect(json.key).not.toBe(old.key);
    expect([await statusOf(old.key), await statusOf(json.key)]).toEqual([200, 200]);
    expect((await journey.store.keys.get(json.token))?.extra.account_id).toBe(old.token);
    expect((await journey.store.keys.get(old.token))?.replacedBy).toBe(json.token);
    journey.passTime(3_700_000);
    expect([await statusOf(old.key), await statusOf(json.key)]).toEqual([401, 200]);
    const again = await journey.call(`POST /key/${json.token}/regenerate`, { body: { max_budget: 4 } });
    expect(again.json.max_budget).toBe(4);
    expect([await statusOf(json.key), await statusOf(again.json.key)]).toEqual([401, 200]);
  });

  it('are listed in pages', async () => {
    for (const index of [1, 2, 3]) await newKey({ key_alias: `listed-${index}`, user_id: 'lister' });
    const page = await journey.call(
      'GET /key/list?user_id=lister&size=2&sort_by=key_alias&sort_order=asc&return_full_object=true',
    );
    expect(page.json).toMatchObject({ total_count: 3, current_page: 1, total_pages: 2 });
    expect(page.json.keys.map((key: { key_alias: string }) => key.key_alias)).toEqual(['listed-1', 'listed-2']);
    const hashes = await journey.call('GET /key/list?user_id=lister');
    expect(hashes.json.keys[0]).toMatch(/^[0-9a-f]{64}$/);
    const like = await journey.call('GET /key/list?key_alias=listed&substring_matching=true');
    expect(like.json.total_count).toBe(3);
    expect((await journey.call('GET /key/aliases?search=listed')).json.aliases).toEqual([
      'listed-1',
      'listed-2',
      'listed-3',
    ]);
  });

  it('change in bulk, each on its own', async () => {
    const key = await newKey();
    const { json } = await journey.call('POST /key/bulk_update', {
      body: {
        keys: [
          { key: key.key, max_budget: 2 },
          { key: 'sk-missing-missing', max_budget: 1 },
        ],
      },
    });
    expect(json).toMatchObject({ total_requested: 2, successful_updates: [{ key: key.token }] });
    expect(json.failed_updates).toHaveLength(1);
    expect(JSON.stringify(json)).not.toContain('sk-missing-missing');
  });

  it('show themselves to their holder and to nobody else', async () => {
    const [mine, other] = [await newKey(), await newKey()];
    expect((await journey.call('GET /key/info', { key: mine.key })).json.info.token).toBe(mine.token);
    expect((await journey.call(`GET /key/info?key=${other.token}`, { key: mine.key })).status).toBe(404);
    expect((await journey.call('GET /key/info?key=unknown', { key: mine.key })).status).toBe(404);
    expect((await journey.call('POST /key/generate', { key: mine.key, body: {} })).status).toBe(403);
  });
});
