import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountKey } from '../../src/core/books.ts';
import { requestRecord } from '../contract/records.ts';
import { type ControlJourney, startControlPlane } from './control-plane.ts';

let journey: ControlJourney;
beforeAll(async () => {
  journey = await startControlPlane();
});
afterAll(() => journey.close());

const post = async (path: string, body: object, key?: string) =>
  journey.call(`POST ${path}`, key === undefined ? { body } : { body, key });
const get = async (path: string, key?: string) => journey.call(`GET ${path}`, key === undefined ? {} : { key });

async function userWithKey(userId: string): Promise<string> {
  const { json } = await post('/user/new', { user_id: userId, user_email: `${userId}@example.test` });
  return json.key;
}

describe('teams', () => {
  it('are made, changed, listed and deleted with their keys', async () => {
    const made = await post('/team/new', {
      team_id: 'research',
      team_alias: 'Research',
      max_budget: 100,
      budget_duration: '1mo',
      models: ['gpt-4o-mini'],
      members_with_roles: [{ role: 'admin', user_id: 'ada' }, { user_email: 'bob@example.test' }],
      team_member_budget: 5,
    });
    expect(made.json).toMatchObject({
      team_id: 'research',
      team_alias: 'Research',
      max_budget: 100,
      spend: 0,
      models: ['gpt-4o-mini'],
      blocked: false,
      team_member_budget: 5,
      admins: ['ada'],
      members_with_roles: [
        { role: 'admin', user_id: 'ada' },
        { role: 'user', user_email: 'bob@example.test' },
      ],
    });
    const key = (await post('/key/generate', { team_id: 'research' })).json.key;
    const updated = await post('/team/update', { team_id: 'research', max_budget: null, tpm_limit: 10 });
    expect(updated.json).toMatchObject({
      team_id: 'research',
      data: { max_budget: null, tpm_limit: 10, budget_duration: '1mo' },
    });
    const info = await get('/team/info?team_id=research');
    expect(info.json).toMatchObject({ team_id: 'research', team_info: { team_alias: 'Research' } });
    expect([info.json.keys.length, info.json.team_memberships.length]).toEqual([1, 2]);
    expect((await get('/team/list')).json).toHaveLength(1);
    expect((await get('/v2/team/list?team_alias=rese')).json).toMatchObject({ total: 1, page: 1, total_pages: 1 });
    expect((await post('/team/block', { team_id: 'research' })).json.blocked).toBe(true);
    expect((await get('/key/info', key)).status).toBe(401);
    await post('/team/unblock', { team_id: 'research' });
    expect((await get('/key/info', key)).status).toBe(200);
    expect((await post('/team/delete', { team_ids: ['research'] })).json.deleted_teams).toEqual(['research']);
    expect((await get('/key/info', key)).status).toBe(401);
    expect((await post('/team/delete', { team_ids: ['research'] })).status).toBe(404);
  });

  it('keep members with limits of their own', async () => {
    await post('/team/new', { team_id: 'ops' });
    await userWithKey('carol');
    const added = await post('/team/member_add', {
      team_id: 'ops',
      member: { role: 'user', user_id: 'carol' },
      max_budget_in_team: 2,
    });
    expect(added.json).toMatchObject({ team_id: 'ops', updated_users: [{ user_id: 'carol' }] });
    expect(added.json.updated_team_memberships[0].litellm_budget_table.max_budget).toBe(2);
    const updated = await post('/team/member_update', {
      team_id: 'ops',
      user_id: 'carol',
      role: 'admin',
      rpm_limit: 4,
    });
    expect(updated.json).toMatchObject({ role: 'admin', litellm_budget_table: { max_budget: 2, rpm_limit: 4 } });
    const removed = await post('/team/member_delete', { team_id: 'ops', user_email: 'carol@example.test' });
    expect(removed.json.members_with_roles).toEqual([]);
    expect((await post('/team/member_delete', { team_id: 'ops', user_id: 'carol' })).status).toBe(404);
  });

  it('are not opened to every model by taking the last one away', async () => {
    await post('/team/new', { team_id: 'narrow', models: ['a'] });
    expect((await post('/team/model/add', { team_id: 'narrow', models: ['b'] })).json.models).toEqual(['a', 'b']);
    expect((await post('/team/model/delete', { team_id: 'narrow', models: ['a', 'b'] })).status).toBe(400);
    expect((await post('/team/model/delete', { team_id: 'narrow', models: ['b'] })).json.models).toEqual(['a']);
  });
});

describe('users', () => {
  it('come with a key, and go with it', async () => {
    const { json } = await post('/user/new', {
      user_email: 'dave@example.test',
      user_role: 'internal_user',
      max_budget: 10,
      key_alias: 'dave-first',
    });
    expect(json).toMatchObject({
      user_email: 'dave@example.test',
      user_role: 'internal_user',
      max_budget: 10,
      key_alias: 'dave-first',
    });
    expect(json.key).toMatch(/^sk-/);
    const row = await journey.store.keys.get(json.token);
    expect(row).toMatchObject({ userId: json.user_id, maxBudget: null });
    const own = await get('/user/info', json.key);
    expect(own.json).toMatchObject({ user_id: json.user_id, keys: [{ key_alias: 'dave-first' }], teams: [] });
    expect((await post('/user/new', { user_email: 'dave@example.test' })).status).toBe(400);
    expect((await post('/user/update', { user_id: json.user_id, max_budget: 0 })).json.data.max_budget).toBe(0);
    expect((await get('/user/list?user_email=dave')).json).toMatchObject({ total: 1, users: [{ key_count: 1 }] });
    expect((await post('/user/delete', { user_ids: [json.user_id] })).json.deleted_users).toEqual([json.user_id]);
    expect((await get('/user/info', json.key)).status).toBe(401);
  });

  it('can be made without a key', async () => {
    const { json } = await post('/user/new', { user_id: 'keyless', auto_create_key: false });
    expect(json).toMatchObject({ user_id: 'keyless', key: null, token: null });
  });

  it('change in bulk, each on its own', async () => {
    await post('/user/new', { user_id: 'bulk', auto_create_key: false });
    const { json } = await post('/user/bulk_update', {
      users: [{ user_id: 'bulk', rpm_limit: 3 }, { user_id: 'nobody' }],
    });
    expect(json).toMatchObject({ total_requested: 2, successful_updates: 1, failed_updates: 1 });
  });
});

describe('what people may do for themselves', () => {
  it('lets users make, rename and delete personal keys, and nothing that bounds them', async () => {
    const key = await userWithKey('erin');
    const made = await post('/key/generate', { key_alias: 'erin-laptop' }, key);
    expect(made.json).toMatchObject({ user_id: 'erin', key_alias: 'erin-laptop', created_by: 'erin' });
    const token = made.json.token;
    expect((await post('/key/update', { key: token, key_alias: 'erin-desk' }, key)).status).toBe(200);
    for (const change of [
      { max_budget: 1_000 },
      { models: ['x'] },
      { allowed_routes: ['management_routes'] },
      { metadata: { guardrails: [] } },
      { permissions: { all: true } },
      { temp_budget_increase: 5, temp_budget_expiry: '2099-01-01T00:00:00Z' },
      { user_id: 'someone-else' },
      { team_id: 'ops' },
    ]) {
      expect([change, (await post('/key/update', { key: token, ...change }, key)).status]).toEqual([change, 403]);
    }
    expect((await post('/key/generate', { user_id: 'someone-else' }, key)).status).toBe(403);
    expect((await post('/key/generate', { team_id: 'ops' }, key)).status).toBe(403);
    expect((await post('/user/update', { user_id: 'erin', user_role: 'proxy_admin' }, key)).status).toBe(403);
    expect((await post('/user/update', { user_id: 'erin', max_budget: 9 }, key)).status).toBe(403);
    expect((await post('/user/update', { user_id: 'erin', user_alias: 'E.' }, key)).json.data.user_alias).toBe('E.');
    const rotated = await post('/key/regenerate', { key: token, grace_period: '1h' }, key);
    expect(rotated.json.key).toMatch(/^sk-/);
    expect((await post('/key/regenerate', { key: rotated.json.token, max_budget: 99 }, key)).status).toBe(403);
    expect((await post('/key/delete', { keys: [rotated.json.token] }, key)).status).toBe(200);
  });

  it('does not let an administrator’s cap on a key be shed by a rotation', async () => {
    const key = await userWithKey('frank');
    const capped = (await post('/key/generate', { user_id: 'frank', max_budget: 1 })).json;
    const rotated = (await post('/key/regenerate', { key: capped.token }, key)).json;
    expect(rotated.max_budget).toBe(1);
    expect((await journey.store.keys.get(rotated.token))?.extra.account_id).toBe(capped.token);
  });

  it('answers the same for what is foreign and what is missing', async () => {
    const key = await userWithKey('grace');
    const foreign = (await post('/key/generate', { user_id: 'erin' })).json.token;
    const missing = 'f'.repeat(64);
    for (const path of ['/key/update', '/key/block']) {
      const answers = [await post(path, { key: foreign }, key), await post(path, { key: missing }, key)];
      expect(answers.map((answer) => answer.status)).toEqual([404, 404]);
      expect(answers[0]!.json.error.message.replace(foreign, '')).toBe(
        answers[1]!.json.error.message.replace(missing, ''),
      );
    }
    expect((await get('/user/info?user_id=erin', key)).status).toBe(404);
    expect((await get('/user/info?user_id=nobody', key)).status).toBe(404);
    expect((await get('/key/list?user_id=erin', key)).status).toBe(403);
    expect((await get('/team/info?team_id=ops', key)).status).toBe(404);
  });

  it('lets team administrators run their team, within what the team has', async () => {
    const boss = await userWithKey('heidi');
    const member = await userWithKey('ivan');
    await post('/team/new', {
      team_id: 'sales',
      max_budget: 50,
      members_with_roles: [
        { role: 'admin', user_id: 'heidi' },
        { role: 'user', user_id: 'ivan' },
      ],
    });
    const made = await post('/key/generate', { team_id: 'sales', user_id: 'ivan', max_budget: 5 }, boss);
    expect(made.status).toBe(200);
    expect((await post('/key/update', { key: made.json.token, max_budget: 7 }, boss)).json.max_budget).toBe(7);
    expect((await post('/key/update', { key: made.json.token, max_budget: 900 }, member)).status).toBe(403);
    expect((await post('/team/update', { team_id: 'sales', team_alias: 'Sales!' }, boss)).status).toBe(200);
    expect((await post('/team/update', { team_id: 'sales', max_budget: 5_000 }, boss)).status).toBe(403);
    expect((await post('/team/update', { team_id: 'sales', team_alias: 'Mine' }, member)).status).toBe(403);
    expect(
      (await post('/team/member_update', { team_id: 'sales', user_id: 'ivan', max_budget_in_team: 3 }, boss)).status,
    ).toBe(200);
    expect((await post('/team/delete', { team_ids: ['sales'] }, boss)).status).toBe(403);
    expect((await get('/team/info?team_id=sales', member)).json.keys).toHaveLength(1);
    expect((await get('/key/list?team_id=sales&return_full_object=true', boss)).json.total_count).toBe(1);
    expect((await get('/key/list?include_team_keys=true', boss)).json.total_count).toBe(2);
    expect((await get('/team/list', member)).json.map((team: { team_id: string }) => team.team_id)).toEqual(['sales']);
  });

  it('lets organization administrators run their organization’s teams', async () => {
    const made = await post('/organization/new', {
      organization_alias: 'Acme',
      max_budget: 500,
      models: ['gpt-4o-mini'],
    });
    const organization_id = made.json.organization_id;
    expect(made.json).toMatchObject({
      organization_alias: 'Acme',
      max_budget: 500,
      spend: 0,
      litellm_budget_table: { max_budget: 500 },
    });
    const boss = await userWithKey('judy');
    const added = await post('/organization/member_add', {
      organization_id,
      member: { role: 'org_admin', user_id: 'judy' },
    });
    expect(added.json.updated_organization_memberships).toMatchObject([{ user_id: 'judy', user_role: 'org_admin' }]);
    expect((await post('/team/new', { team_id: 'acme-one', organization_id, max_budget: 20 }, boss)).status).toBe(200);
    expect((await post('/team/update', { team_id: 'acme-one', max_budget: 30 }, boss)).status).toBe(200);
    expect((await post('/key/generate', { team_id: 'acme-one' }, boss)).status).toBe(200);
    expect((await post('/team/new', { team_id: 'free-floating' }, boss)).status).toBe(403);
    expect((await post('/team/update', { team_id: 'acme-one', organization_id: null }, boss)).status).toBe(403);
    const call = (key: string | undefined, body: object) =>
      journey.call('PATCH /organization/update', {
        body: { organization_id, ...body },
        ...(key === undefined ? {} : { key }),
      });
    expect((await call(boss, { max_budget: 9_999 })).status).toBe(403);
    expect((await call(undefined, { max_budget: 600 })).json.max_budget).toBe(600);
    expect((await get(`/organization/info?organization_id=${organization_id}`, boss)).json.teams).toHaveLength(1);
    expect((await get('/organization/list', boss)).json).toHaveLength(1);
    const removed = await journey.call('DELETE /organization/delete', {
      body: { organization_ids: [organization_id] },
    });
    expect(removed.json).toHaveLength(1);
    expect((await get('/team/info?team_id=acme-one')).status).toBe(404);
  });

  it('writes down who did what, in the change’s own transaction', async () => {
    const key = await userWithKey('mallory');
    const before = await journey.store.audit.count();
    expect((await post('/key/update', { key: 'f'.repeat(64), key_alias: 'x' }, key)).status).toBe(404);
    expect(await journey.store.audit.count()).toBe(before);
    await journey.call('POST /key/generate', {
      body: { key_alias: 'on-behalf' },
      headers: { 'litellm-changed-by': 'ops@example.test' },
    });
    const { json } = await get('/audit?page_size=1&action=created');
    expect(json.audit_logs[0]).toMatchObject({
      changed_by: 'ops@example.test',
      action: 'created',
      table_name: 'LiteLLM_VerificationToken',
    });
    expect(json.total_pages).toBe(json.total);
  });
});

describe('customers, budgets and tags', () => {
  it('share a budget by its id', async () => {
    const budget = await post('/budget/new', {
      budget_id: 'small',
      max_budget: 1.5,
      budget_duration: 'weekly',
      rpm_limit: 3,
    });
    expect(budget.json).toMatchObject({ budget_id: 'small', max_budget: 1.5, budget_duration: 'weekly', rpm_limit: 3 });
    const customer = await post('/customer/new', { user_id: 'c-1', alias: 'Shop', budget_id: 'small' });
    expect(customer.json).toMatchObject({
      user_id: 'c-1',
      alias: 'Shop',
      blocked: false,
      spend: 0,
      budget_id: 'small',
      litellm_budget_table: { max_budget: 1.5 },
    });
    expect((await post('/budget/delete', { id: 'small' })).status).toBe(400);
    expect(
      (await post('/end_user/update', { user_id: 'c-1', budget_id: null, max_budget: 2 })).json.litellm_budget_table
        .max_budget,
    ).toBe(2);
    expect((await post('/budget/update', { budget_id: 'small', max_budget: null })).json.max_budget).toBeNull();
    expect((await post('/budget/info', { budgets: ['small'] })).json).toHaveLength(1);
    expect((await post('/budget/delete', { id: 'small' })).status).toBe(200);
    expect((await get('/budget/list')).json).toEqual([]);
  });

  it('tell what a customer spent whom nobody made, and say which id is taken', async () => {
    expect((await get('/customer/info?end_user_id=passer-by')).status).toBe(404);
    const at = Date.UTC(2026, 0, 1);
    const account = { scope: 'end_user', id: 'passer-by', model: '', duration: '', cap: null } as const;
    const key = accountKey('end_user', 'passer-by', '', '');
    const spent = { ...account, key, windowStart: 0, delta: 2_000_000_000, leaseReturn: 0 };
    const record = requestRecord('passer', { endUserId: 'passer-by', startedAt: at, endedAt: at, cost: 2_000_000_000 });
    await journey.store.books.apply({ processId: 'p', entries: [{ record, accounts: [spent] }] });
    expect((await get('/customer/info?end_user_id=passer-by')).json).toMatchObject({ user_id: 'passer-by', spend: 2 });
    await post('/user/new', { user_id: 'taken' });
    const again = await post('/user/new', { user_id: 'taken' });
    expect([again.status, again.json.error.message]).toEqual([400, 'Already exists: there is a user taken.']);
  });

  it('block customers, known or not', async () => {
    const { json } = await post('/customer/block', { user_ids: ['c-2', 'c-3'] });
    expect(json.blocked_users.map((user: { user_id: string }) => user.user_id)).toEqual(['c-2', 'c-3']);
    expect((await get('/end_user/info?end_user_id=c-2')).json.blocked).toBe(true);
    expect((await post('/end_user/unblock', { user_ids: ['c-2'] })).status).toBe(200);
    expect((await post('/customer/delete', { user_ids: ['c-2', 'c-3'] })).json.deleted_customers).toBe(2);
    expect((await post('/customer/delete', { user_ids: ['c-2'] })).status).toBe(404);
  });

  it('keep tags by name', async () => {
    expect((await post('/tag/new', { name: 'batch', max_budget: 3 })).json.tag).toMatchObject({
      name: 'batch',
      max_budget: 3,
      spend: 0,
    });
    expect((await post('/tag/new', { name: 'batch' })).status).toBe(400);
    expect((await post('/tag/update', { name: 'batch', description: 'nightly' })).json.tag).toMatchObject({
      max_budget: 3,
      description: 'nightly',
    });
    expect((await post('/tag/info', { names: ['batch', 'none'] })).json).toMatchObject({ batch: { name: 'batch' } });
    expect((await post('/tag/delete', { name: 'batch' })).status).toBe(200);
    expect((await get('/tag/list')).json).toEqual([]);
  });
});
