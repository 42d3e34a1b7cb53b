import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Access } from '../../src/admin/contract.ts';
import { type ControlJourney, startControlPlane } from './control-plane.ts';

/** Who may call what, told a second time: an endpoint that is new, or changes its class, must be written here too. */
const expected: Record<Access, string[]> = {
  public: [
    'GET /',
    'GET /health',
    'GET /health/backlog',
    'GET /health/liveliness',
    'GET /health/readiness',
    'GET /metrics',
    'GET /openapi.json',
    'GET /robots.txt',
    'GET /routes',
  ],
  any_key: [
    'GET /budget/chain',
    'GET /key/info',
    'GET /mistral-api/v1/models',
    'GET /mistral-api/v1/models/{id*}',
    'GET /model/info',
    'GET /model_group/info',
    'GET /project/info',
    'GET /project/list',
    'GET /spend/logs',
    'GET /spend/logs/ui/{request_id}',
    'GET /spend/logs/v2',
    'GET /team/daily/activity',
    'GET /team/info',
    'GET /usage',
    'GET /usage/requests',
    'GET /usage/requests/{id}',
    'GET /user/daily/activity',
    'GET /user/info',
    'GET /utils/supported_openai_params',
    'GET /v1/feedback',
    'GET /v1/models',
    'GET /v1/models/{id*}',
    'GET /v1beta/models',
    'GET /v1beta/models/{id*}',
    'GET /v2/model/info',
    'GET /v2/user/info',
    'POST /cost/estimate',
    'POST /key/health',
    'POST /spend/calculate',
    'POST /utils/token_counter',
    'POST /utils/transform_request',
    'POST /v1/feedback',
    'PUT /v1/feedback/{id}',
  ],
  self_service: [
    'DELETE /organization/member_delete',
    'DELETE /project/delete',
    'GET /key/aliases',
    'GET /key/list',
    'GET /organization/info',
    'GET /organization/list',
    'GET /team/available',
    'GET /team/list',
    'GET /team/permissions_list',
    'GET /team/{team_id}/callback',
    'GET /v2/team/list',
    'PATCH /organization/member_update',
    'PATCH /organization/update',
    'PATCH /team/{team_id}',
    'POST /key/block',
    'POST /key/delete',
    'POST /key/generate',
    'POST /key/regenerate',
    'POST /key/service-account/generate',
    'POST /key/unblock',
    'POST /key/update',
    'POST /key/{key}/regenerate',
    'POST /key/{key}/reset_spend',
    'POST /organization/member_add',
    'POST /project/new',
    'POST /project/update',
    'POST /team/block',
    'POST /team/bulk_member_add',
    'POST /team/delete',
    'POST /team/member_add',
    'POST /team/member_delete',
    'POST /team/member_update',
    'POST /team/model/add',
    'POST /team/model/delete',
    'POST /team/new',
    'POST /team/permissions_update',
    'POST /team/unblock',
    'POST /team/update',
    'POST /team/{team_id}/callback',
    'POST /team/{team_id}/disable_logging',
    'POST /user/update',
  ],
  admin_read: [
    'GET /access_group/list',
    'GET /access_group/{access_group}/info',
    'GET /audit',
    'GET /audit/{id}',
    'GET /budget/list',
    'GET /budget/settings',
    'GET /cache/ping',
    'GET /cache/redis/info',
    'GET /config/cost_discount_config',
    'GET /config/cost_margin_config',
    'GET /config/field/info',
    'GET /config/list',
    'GET /config/pass_through_endpoint',
    'GET /credentials',
    'GET /credentials/by_model/{model_id}',
    'GET /credentials/by_name/{name}',
    'GET /customer/daily/activity',
    'GET /customer/info',
    'GET /customer/list',
    'GET /debug/requests',
    'GET /fallback/{model}',
    'GET /get/config/callbacks',
    'GET /global/activity',
    'GET /global/activity/model',
    'GET /global/spend',
    'GET /global/spend/all_tag_names',
    'GET /global/spend/end_users',
    'GET /global/spend/keys',
    'GET /global/spend/logs',
    'GET /global/spend/models',
    'GET /global/spend/provider',
    'GET /global/spend/report',
    'GET /global/spend/tags',
    'GET /global/spend/teams',
    'GET /health/deployments',
    'GET /health/history',
    'GET /health/latest',
    'GET /health/license',
    'GET /health/services',
    'GET /health/shared-status',
    'GET /organization/daily/activity',
    'GET /provider/budgets',
    'GET /router/settings',
    'GET /spend/keys',
    'GET /spend/tags',
    'GET /spend/users',
    'GET /tag/daily/activity',
    'GET /tag/dau',
    'GET /tag/distinct',
    'GET /tag/list',
    'GET /tag/mau',
    'GET /tag/summary',
    'GET /tag/wau',
    'GET /usage/chargeback',
    'GET /user/available_users',
    'GET /user/list',
    'GET /v1/access_group',
    'GET /v1/access_group/{access_group_id}',
    'POST /budget/info',
    'POST /tag/info',
    'POST /v2/key/info',
  ],
  admin: [
    'DELETE /access_group/{access_group}/delete',
    'DELETE /config/pass_through_endpoint',
    'DELETE /credentials/{name}',
    'DELETE /fallback/{model}',
    'DELETE /organization/delete',
    'DELETE /v1/access_group/{access_group_id}',
    'PATCH /config/cost_discount_config',
    'PATCH /config/cost_margin_config',
    'PATCH /credentials/{name}',
    'PATCH /model/{model_id}/update',
    'POST /access_group/new',
    'POST /budget/adjust',
    'POST /budget/delete',
    'POST /budget/new',
    'POST /budget/update',
    'POST /cache/delete',
    'POST /cache/flushall',
    'POST /config/field/delete',
    'POST /config/field/update',
    'POST /config/pass_through_endpoint',
    'POST /config/pass_through_endpoint/{endpoint_id}',
    'POST /config/update',
    'POST /credentials',
    'POST /customer/block',
    'POST /customer/delete',
    'POST /customer/new',
    'POST /customer/unblock',
    'POST /customer/update',
    'POST /debug/requests',
    'POST /fallback',
    'POST /global/spend/reset',
    'POST /health/test_connection',
    'POST /key/bulk_update',
    'POST /model/block',
    'POST /model/delete',
    'POST /model/new',
    'POST /model/resume',
    'POST /model/unblock',
    'POST /model/update',
    'POST /organization/new',
    'POST /reload/model_cost_map',
    'POST /tag/delete',
    'POST /tag/new',
    'POST /tag/update',
    'POST /user/bulk_update',
    'POST /user/delete',
    'POST /user/new',
    'POST /v1/access_group',
    'PUT /access_group/{access_group}/update',
    'PUT /v1/access_group/{access_group_id}',
  ],
};

let journey: ControlJourney;
let keys: { bare: string; user: string; viewer: string; llmOnly: string };

beforeAll(async () => {
  journey = await startControlPlane();
  const make = async (body: object) => (await journey.call('POST /key/generate', { body })).json.key as string;
  await journey.call('POST /user/new', { body: { user_id: 'viewer', user_role: 'proxy_admin_viewer' } });
  await journey.call('POST /user/new', { body: { user_id: 'worker', user_role: 'internal_user' } });
  keys = {
    bare: await make({}),
    user: await make({ user_id: 'worker' }),
    viewer: await make({ user_id: 'viewer' }),
    llmOnly: await make({ user_id: 'viewer', key_type: 'llm_api' }),
  };
});
afterAll(() => journey.close());

async function statuses(key: string | null): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const body = { key: 'sk-no-such-key-here' };
  for (const { method, path } of journey.endpoints) {
    const real = path.replaceAll(/\{[^}]+\}/g, 'missing');
    const { status } = await journey.call(`${method} ${real}`, { key, ...(method === 'GET' ? {} : { body }) });
    found.set(`${method} ${path}`, status);
  }
  return found;
}

function wrong(found: Map<string, number>, isRight: (access: Access, status: number) => boolean): string[] {
  return journey.endpoints.flatMap(({ method, path, access }) => {
    const status = found.get(`${method} ${path}`)!;
    return isRight(access, status) ? [] : [`${method} ${path} (${access}): ${status}`];
  });
}

describe('who may call what', () => {
  it('is decided for every endpoint, in two places', () => {
    const actual = Object.fromEntries(Object.keys(expected).map((access) => [access, [] as string[]]));
    for (const { method, path, access } of journey.endpoints) actual[access]!.push(`${method} ${path}`);
    for (const list of Object.values(actual)) list.sort();
    expect(actual).toEqual(expected);
  });

  it('without a key: what is public', async () => {
    expect(
      wrong(await statuses(null), (access, status) => (access === 'public' ? status === 200 : status === 401)),
    ).toEqual([]);
  });

  it('with a wrong key: the same', async () => {
    const found = await statuses('sk-this-key-does-not-exist');
    expect(wrong(found, (access, status) => (access === 'public' ? status === 200 : status === 401))).toEqual([]);
  });

  it('with a key that belongs to nobody: public and its own', async () => {
    const open = new Set<Access>(['public', 'any_key']);
    const found = await statuses(keys.bare);
    expect(
      wrong(found, (access, status) => (open.has(access) ? status < 500 && status !== 401 : status === 403)),
    ).toEqual([]);
  });

  it('with a user’s key: nothing that is for administrators', async () => {
    const closed = new Set<Access>(['admin', 'admin_read']);
    const found = await statuses(keys.user);
    expect(
      wrong(found, (access, status) => (closed.has(access) ? status === 403 : status < 500 && status !== 401)),
    ).toEqual([]);
  });

  it('with a viewer’s key: everything that only reads', async () => {
    const found = await statuses(keys.viewer);
    const ping = 503;
    expect(
      wrong(found, (access, status) =>
        access === 'admin' ? status === 403 : (status < 500 || status === ping) && status !== 401,
      ),
    ).toEqual([]);
    const audit = await journey.store.audit.list({ where: { actor: 'viewer' } });
    expect(audit).toEqual([]);
  });

  it('with a key for model calls only: models and what is public', async () => {
    const modelRoutes = journey.endpoints.filter((endpoint) => endpoint.group === 'llm_api_routes');
    const open = new Set(modelRoutes.map((endpoint) => `${endpoint.method} ${endpoint.path}`));
    const found = await statuses(keys.llmOnly);
    for (const [route, status] of found) {
      const endpoint = journey.endpoints.find((one) => `${one.method} ${one.path}` === route)!;
      if (endpoint.access === 'public' || open.has(route)) expect([route, status]).not.toEqual([route, 403]);
      else expect([route, status]).toEqual([route, 403]);
    }
  });

  it('with the master key: everything', async () => {
    const found = await statuses(undefined as unknown as null);
    const unset = 503;
    expect(
      wrong(found, (_access, status) => status !== 401 && status !== 403 && (status < 500 || status === unset)),
    ).toEqual([]);
    expect([...found].filter(([, status]) => status === unset).map(([route]) => route)).toEqual([
      'GET /cache/ping',
      'GET /cache/redis/info',
    ]);
  });

  it('answers unknown paths and methods as such', async () => {
    const unknown = await journey.call('GET /no/such/thing');
    expect([unknown.status, unknown.json.error.type]).toEqual([404, 'not_found_error']);
    const method = await journey.call('DELETE /key/generate');
    expect([method.status, method.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await journey.call('GET /credentials/by_name/%E0%A4%A')).status).toBe(400);
  });

  it('does not read a body beyond the limit', async () => {
    const { status, json } = await journey.call('POST /key/generate', { body: { key_alias: 'x'.repeat(1_100_000) } });
    expect([status, json.error.code]).toEqual([413, '413']);
  });

  it('cannot be led elsewhere by a Host header or an absolute address', async () => {
    const { status } = await journey.call('POST /key/generate', {
      key: null,
      body: {},
      headers: { 'x-forwarded-host': 'localhost', 'x-original-url': '/health', 'x-rewrite-url': '/health' },
    });
    expect(status).toBe(401);
  });
});
