import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Principal } from '../../core/identity.ts';
import type { BudgetRule } from '../../core/limits.ts';
import type {
  BudgetRecord,
  EndUserRecord,
  KeyRecord,
  MembershipRecord,
  OrganizationRecord,
  Store,
  TagRecord,
  TeamRecord,
  UserRecord,
} from '../../core/store.ts';
import { StorePrincipals } from '../principals.ts';
import { openSqliteStore } from '../sql/sqlite.ts';

const dollar = 1_000_000_000;
const tracked = { createdAt: 1, updatedAt: 1, createdBy: null, updatedBy: null, extra: {} };
const noLimits = {
  maxBudget: null,
  softBudget: null,
  budgetDuration: null,
  rpmLimit: null,
  tpmLimit: null,
  maxParallelRequests: null,
  modelLimits: {},
  budgetId: null,
};

const key = (changes: Partial<KeyRecord> = {}): KeyRecord => ({
  ...tracked,
  ...noLimits,
  id: 'hash',
  name: 'sk-...Ab1C',
  alias: null,
  userId: null,
  teamId: null,
  organizationId: null,
  models: [],
  aliases: {},
  allowedRoutes: [],
  blocked: false,
  expiresAt: null,
  metadata: {},
  tags: [],
  replacedBy: null,
  temporaryIncrease: null,
  temporaryIncreaseUntil: null,
  lastActiveAt: null,
  ...changes,
});
const team = (changes: Partial<TeamRecord> = {}): TeamRecord => ({
  ...tracked,
  ...noLimits,
  id: 'team-1',
  alias: 'Team One',
  organizationId: null,
  models: [],
  modelAliases: {},
  blocked: false,
  metadata: {},
  memberBudget: null,
  memberBudgetDuration: null,
  memberRpmLimit: null,
  memberTpmLimit: null,
  ...changes,
});
const user = (changes: Partial<UserRecord> = {}): UserRecord => ({
  ...tracked,
  ...noLimits,
  id: 'user-1',
  email: 'user@example.com',
  alias: null,
  role: 'internal_user',
  models: [],
  blocked: false,
  metadata: {},
  ...changes,
});
const organization = (changes: Partial<OrganizationRecord> = {}): OrganizationRecord => ({
  ...tracked,
  ...noLimits,
  id: 'org-1',
  alias: 'Org One',
  models: [],
  blocked: false,
  metadata: {},
  ...changes,
});
const membership = (changes: Partial<MembershipRecord> = {}): MembershipRecord => ({
  ...tracked,
  id: 'team-1/user-1',
  teamId: 'team-1',
  userId: 'user-1',
  role: 'user',
  maxBudget: null,
  budgetDuration: null,
  rpmLimit: null,
  tpmLimit: null,
  allowedModels: [],
  ...changes,
});
const budget = (changes: Partial<BudgetRecord> = {}): BudgetRecord => ({
  ...tracked,
  id: 'budget-1',
  maxBudget: null,
  softBudget: null,
  budgetDuration: null,
  rpmLimit: null,
  tpmLimit: null,
  maxParallelRequests: null,
  modelLimits: {},
  ...changes,
});
const endUser = (changes: Partial<EndUserRecord> = {}): EndUserRecord => ({
  ...tracked,
  ...noLimits,
  id: 'customer-1',
  alias: null,
  blocked: false,
  allowedModelRegion: null,
  defaultModel: null,
  ...changes,
});
const tag = (changes: Partial<TagRecord> = {}): TagRecord => ({
  ...tracked,
  ...noLimits,
  id: 'tag-1',
  description: null,
  models: [],
  ...changes,
});

const defaultBudget = (scope: BudgetRule['scope'], cap: number): BudgetRule => ({
  scope,
  id: '',
  model: null,
  cap,
  softCap: null,
  duration: '1mo',
  timezone: 'UTC',
  increase: null,
  label: scope,
});

describe('principals from the store', () => {
  let store: Store;
  let source: StorePrincipals;
  let tick: number;
  let reads: number;
  let settings: Record<string, unknown>;
  let version: number;

  beforeAll(async () => {
    store = await openSqliteStore({ file: ':memory:' });
  });
  afterAll(() => store.close());
  beforeEach(async () => {
    for (const repository of [store.keys, store.teams, store.users, store.organizations, store.memberships]) {
      await repository.remove((await repository.list()).map(({ id }) => id));
    }
    for (const repository of [store.budgets, store.endUsers, store.tags]) {
      await repository.remove((await repository.list()).map(({ id }) => id));
    }
    tick = 0;
    reads = 0;
    version = 1;
    settings = {
      timezone: 'Europe/Vienna',
      endUserBudgetDefault: null,
      internalUserBudgetDefault: null,
      tagBudgets: new Map(),
    };
    const keys = Object.assign(Object.create(store.keys), {
      get: (id: string) => {
        reads += 1;
        return store.keys.get(id);
      },
    });
    source = new StorePrincipals({
      store: { ...store, keys },
      clock: { tick: () => tick },
      snapshot: () => ({ version, settings: settings as never }),
    });
  });

  const find = async (): Promise<Principal> => (await source.find('hash'))!;
  const rules = (principal: Principal) =>
    principal.budgets.map((rule) => [rule.scope, rule.id, rule.model, rule.cap, rule.duration]);

  it('answers undefined for a key that does not exist', async () => {
    expect(await source.find('hash')).toBeUndefined();
  });

  it('counts the spend of key, user, team and organization even where nothing is capped', async () => {
    await store.organizations.insert(organization());
    await store.teams.insert(team({ organizationId: 'org-1' }));
    await store.users.insert(user());
    await store.keys.insert(key({ userId: 'user-1', teamId: 'team-1' }));
    const principal = await find();
    expect(rules(principal)).toEqual([
      ['key', 'hash', null, null, null],
      ['team', 'team-1', null, null, null],
      ['user', 'user-1', null, null, null],
      ['organization', 'org-1', null, null, null],
    ]);
    expect(principal).toMatchObject({
      kind: 'virtual_key',
      keyId: 'hash',
      keyName: 'sk-...Ab1C',
      userEmail: 'user@example.com',
      teamAlias: 'Team One',
      organizationId: 'org-1',
      role: 'internal_user',
      blocked: null,
      rateLimits: [],
      modelAccess: [],
    });
  });

  it('compiles every window, model budget and temporary increase of a key', async () => {
    await store.keys.insert(
      key({
        alias: 'batch',
        maxBudget: 100 * dollar,
        softBudget: 50 * dollar,
        budgetDuration: '30d',
        temporaryIncrease: 5 * dollar,
        temporaryIncreaseUntil: 99,
        modelLimits: {
          'gpt-4o': { budget_limit: 1.5, time_period: '1d', rpm_limit: 3, tpm_limit: 400 },
          'plain-*': 2,
          unreadable: { max_budget: 'lots' },
        },
        extra: {
          budget_limits: [
            { max_budget: 10, budget_duration: '1d' },
            { max_budget: 60, budget_duration: 'monthly' },
          ],
        },
      }),
    );
    const principal = await find();
    expect(rules(principal)).toEqual([
      ['key', 'hash', null, 60 * dollar, '1mo'],
      ['key', 'hash', null, 10 * dollar, '1d'],
      ['key', 'hash', 'gpt-4o', 1.5 * dollar, '1d'],
      ['key', 'hash', 'plain-*', 2 * dollar, null],
      ['key', 'hash', 'unreadable', 0, null],
    ]);
    expect(principal.budgets[0]).toMatchObject({
      softCap: 50 * dollar,
      increase: { amount: 5 * dollar, until: 99 },
      timezone: 'Europe/Vienna',
      label: 'batch',
    });
    expect(principal.budgets[2]?.increase).toBeNull();
    expect(principal.rateLimits.map((rule) => [rule.model, rule.metric, rule.limit])).toEqual([
      ['gpt-4o', 'requests', 3],
      ['gpt-4o', 'tokens', 400],
    ]);
  });

  it('lets the own budget of a user stop personal keys only', async () => {
    await store.teams.insert(team());
    await store.users.insert(user({ maxBudget: 7 * dollar, budgetDuration: '1d', rpmLimit: 9 }));
    await store.keys.insert(key({ userId: 'user-1' }));
    expect(rules(await find())).toContainEqual(['user', 'user-1', null, 7 * dollar, '1d']);
    await store.keys.update('hash', { teamId: 'team-1' });
    source.invalidate({ scope: 'key', id: 'hash' });
    const principal = await find();
    expect(rules(principal)).toContainEqual(['user', 'user-1', null, null, '1d']);
    expect(principal.rateLimits).toMatchObject([{ scope: 'user', metric: 'requests', limit: 9 }]);
  });

  it('gives internal users without a budget the default one, and nobody else', async () => {
    settings.internalUserBudgetDefault = defaultBudget('user', 3 * dollar);
    await store.keys.insert(key({ userId: 'user-1' }));
    expect(rules(await find())).toContainEqual(['user', 'user-1', null, 3 * dollar, '1mo']);
    await store.users.insert(user({ role: 'proxy_admin' }));
    source.invalidate({ scope: 'user', id: 'user-1' });
    expect(rules(await find())).toContainEqual(['user', 'user-1', null, null, null]);
    await store.users.update('user-1', { role: 'internal_user', maxBudget: 1 });
    source.invalidate({ scope: 'user', id: 'user-1' });
    expect(rules(await find())).toContainEqual(['user', 'user-1', null, 1, null]);
  });

  it('bounds members by their own figures, else by the default of their team', async () => {
    await store.teams.insert(
      team({ memberBudget: 4 * dollar, memberBudgetDuration: '7d', memberRpmLimit: 5, memberTpmLimit: 6 }),
    );
    await store.keys.insert(key({ userId: 'user-1', teamId: 'team-1' }));
    expect(rules(await find())).toContainEqual(['team_member', 'team-1/user-1', null, 4 * dollar, '7d']);
    await store.memberships.insert(membership({ maxBudget: 9 * dollar, rpmLimit: 1, allowedModels: ['small'] }));
    source.invalidate({ scope: 'team_member', id: 'team-1/user-1' });
    const principal = await find();
    expect(rules(principal)).toContainEqual(['team_member', 'team-1/user-1', null, 9 * dollar, '7d']);
    expect(principal.rateLimits.map((rule) => [rule.metric, rule.limit])).toEqual([
      ['requests', 1],
      ['tokens', 6],
    ]);
    expect(principal.modelAccess).toEqual([{ scope: 'team_member', id: 'team-1/user-1', models: ['small'] }]);
  });

  it('takes from a shared budget what is not set, and follows its changes', async () => {
    await store.budgets.insert(budget({ maxBudget: 8 * dollar, budgetDuration: '1d', rpmLimit: 2, tpmLimit: 20 }));
    await store.keys.insert(key({ budgetId: 'budget-1', rpmLimit: 1 }));
    const before = await find();
    expect(rules(before)).toEqual([['key', 'hash', null, 8 * dollar, '1d']]);
    expect(before.rateLimits.map((rule) => [rule.metric, rule.limit])).toEqual([
      ['requests', 1],
      ['tokens', 20],
    ]);
    await store.budgets.update('budget-1', { maxBudget: 9 * dollar });
    source.invalidate({ scope: 'budget', id: 'budget-1' });
    expect(rules(await find())).toEqual([['key', 'hash', null, 9 * dollar, '1d']]);
  });

  it('limits models per key and per team', async () => {
    await store.teams.insert(team({ metadata: { model_rpm_limit: { a: 7 } }, extra: { model_tpm_limit: { a: 70 } } }));
    await store.keys.insert(
      key({
        teamId: 'team-1',
        metadata: { model_rpm_limit: { a: 1 } },
        extra: { model_rpm_limit: { a: 2, b: 3 } },
        maxParallelRequests: 4,
      }),
    );
    expect((await find()).rateLimits.map((rule) => [rule.scope, rule.model, rule.metric, rule.limit])).toEqual([
      ['key', null, 'parallel', 4],
      ['key', 'a', 'requests', 1],
      ['key', 'b', 'requests', 3],
      ['team', 'a', 'requests', 7],
      ['team', 'a', 'tokens', 70],
    ]);
  });

  it('collects the lists and names of the whole chain', async () => {
    await store.organizations.insert(organization({ models: ['org-model'] }));
    await store.teams.insert(
      team({ models: ['team-model'], modelAliases: { fast: 'slow', both: 'team' }, extra: { tags: ['t'] } }),
    );
    await store.users.insert(user({ models: ['user-model'] }));
    await store.keys.insert(
      key({
        userId: 'user-1',
        organizationId: 'org-1',
        models: ['key-model'],
        aliases: { both: 'key' },
        tags: ['k'],
        metadata: { tags: ['k', 'm'] },
        extra: { allowed_cache_controls: ['no-cache'] },
        allowedRoutes: ['/v1/models'],
        expiresAt: 5,
      }),
    );
    expect((await find()).modelAccess.map(({ scope }) => scope)).toEqual(['key', 'user', 'organization']);
    await store.keys.update('hash', { teamId: 'team-1' });
    source.invalidate(null);
    const principal = await find();
    expect(principal.modelAccess.map(({ scope }) => scope)).toEqual(['key', 'team', 'organization']);
    expect(principal).toMatchObject({
      modelAliases: { fast: 'slow', both: 'key' },
      tags: ['k', 'm', 't'],
      allowedCacheControls: ['no-cache'],
      allowedRoutes: ['/v1/models'],
      expiresAt: 5,
    });
  });

  it.each([
    ['key', async () => await store.keys.update('hash', { blocked: true })],
    ['team', async () => await store.teams.update('team-1', { blocked: true })],
    ['user', async () => await store.users.update('user-1', { blocked: true })],
    ['organization', async () => await store.organizations.update('org-1', { blocked: true })],
    ['team', async () => await store.teams.remove(['team-1'])],
    ['organization', async () => await store.organizations.remove(['org-1'])],
  ] as const)('says that the %s is blocked, or gone', async (part, change) => {
    await store.organizations.insert(organization());
    await store.teams.insert(team());
    await store.users.insert(user());
    await store.keys.insert(key({ userId: 'user-1', teamId: 'team-1', organizationId: 'org-1' }));
    expect((await find()).blocked).toBeNull();
    await change();
    const id = { key: 'hash', team: 'team-1', user: 'user-1', organization: 'org-1' }[part];
    source.invalidate({ scope: part, id });
    expect((await find()).blocked).toBe(part);
  });

  it('answers at once from memory, and asks once for many who ask at the same time', async () => {
    await store.keys.insert(key());
    const all = await Promise.all(Array.from({ length: 20 }, () => source.find('hash')));
    expect(new Set(all).size).toBe(1);
    expect(reads).toBe(1);
    expect(source.find('hash')).toBe(all[0]);
    expect(Object.isFrozen(all[0])).toBe(true);
  });

  it('remembers for a short while that a key does not exist, until it is told of one', async () => {
    await source.find('hash');
    expect(source.find('hash')).toBeUndefined();
    expect(reads).toBe(1);
    await store.keys.insert(key());
    source.invalidate({ scope: 'key', id: 'hash' });
    expect((await find()).keyId).toBe('hash');
    await store.keys.remove(['hash']);
    source.invalidate({ scope: 'key', id: 'hash' });
    expect(await source.find('hash')).toBeUndefined();
    await store.keys.insert(key());
    tick = 5_000;
    expect(await find()).toBeDefined();
  });

  it('reads again after its time, and ahead of it in the background', async () => {
    await store.keys.insert(key());
    const first = await find();
    tick = 40_000;
    expect(source.find('hash')).toBe(first);
    expect(reads).toBe(2);
    await store.ping();
    await new Promise((resolve) => setImmediate(resolve));
    tick = 99_000;
    const second = source.find('hash');
    expect(second).not.toBeInstanceOf(Promise);
    expect(second).not.toBe(first);
  });

  it('does not keep what it read before a change', async () => {
    await store.keys.insert(key({ alias: 'before' }));
    const early = source.find('hash') as Promise<Principal>;
    await store.keys.update('hash', { alias: 'after' });
    source.invalidate({ scope: 'key', id: 'hash' });
    await early;
    expect((await find()).keyAlias).toBe('after');
  });

  it('compiles anew when the defaults of the configuration change, and only then', async () => {
    await store.keys.insert(key());
    await find();
    version = 2;
    await find();
    expect(reads).toBe(1);
    version = 3;
    settings.timezone = 'UTC';
    expect((await find()).budgets[0]?.timezone).toBe('UTC');
    expect(reads).toBe(2);
  });

  it('answers for end users, known or not', async () => {
    settings.endUserBudgetDefault = defaultBudget('end_user', 2 * dollar);
    await store.budgets.insert(budget({ rpmLimit: 1 }));
    await store.endUsers.insert(endUser({ blocked: true, maxBudget: 6 * dollar, budgetId: 'budget-1' }));
    expect(await source.endUser('stranger')).toMatchObject({
      blocked: false,
      budgets: [{ scope: 'end_user', id: 'stranger', cap: 2 * dollar, duration: '1mo' }],
      rateLimits: [],
    });
    expect(await source.endUser('customer-1')).toMatchObject({
      blocked: true,
      budgets: [{ id: 'customer-1', cap: 6 * dollar, duration: null }],
      rateLimits: [{ metric: 'requests', limit: 1 }],
    });
    await store.endUsers.update('customer-1', { blocked: false });
    source.invalidate({ scope: 'end_user', id: 'customer-1' });
    expect(await source.endUser('customer-1')).toMatchObject({ blocked: false });
  });

  it('answers for tags: the store before the configuration', async () => {
    const configured = [{ ...defaultBudget('tag', 1 * dollar), id: 'tag-1' }];
    settings.tagBudgets = new Map([['tag-1', configured]]);
    expect((await source.tag('tag-1')).budgets).toEqual(configured);
    expect((await source.tag('other')).budgets).toMatchObject([{ scope: 'tag', id: 'other', cap: null }]);
    await store.tags.insert(tag({ maxBudget: 5 * dollar, tpmLimit: 10 }));
    source.invalidate({ scope: 'tag', id: 'tag-1' });
    expect(await source.tag('tag-1')).toMatchObject({
      budgets: [{ cap: 5 * dollar }],
      rateLimits: [{ metric: 'tokens', limit: 10 }],
    });
  });
});
