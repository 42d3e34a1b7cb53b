import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/* What administrators change while the program runs: settings, fallbacks, groups of models, projects. */

let upstream: FakeProvider;
let gateway: GatewayProcess;
let config: string;
const folder = mkdtempSync(join(tmpdir(), 'tollgate-settings-'));

beforeAll(async () => {
  upstream = await startFakeProvider();
  const deployment = (group: string, address: string) =>
    `  - {model_name: ${group}, litellm_params: {model: openai/${group}, api_base: "${address}/v1", api_key: none, input_cost_per_token: 0.001, output_cost_per_token: 0.001}}\n`;
  config = `model_list:\n${deployment('broken', 'http://127.0.0.1:9')}${deployment('good', upstream.url)}${deployment('spare', upstream.url)}router_settings: {num_retries: 0}\n`;
  gateway = await startGateway({ config, folder });
});
afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
  rmSync(folder, { recursive: true, force: true });
});

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Answer = { status: number; json: any };

async function call(route: string, body?: unknown, key = masterKey): Promise<Answer> {
  const [method, path] = route.split(' ') as [string, string];
  const answer = await fetch(gateway.url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return { status: answer.status, json: await answer.json() };
}

const ask = (model: string, key = masterKey) =>
  call('POST /v1/chat/completions', { model, max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] }, key);

describe('settings', () => {
  it('a fallback works from the next request on, and no longer once it is deleted', async () => {
    expect((await ask('broken')).status).toBe(500);
    const made = await call('POST /fallback', { model: 'broken', fallback_models: ['spare'] });
    expect([made.status, made.json.fallback_models]).toEqual([200, ['spare']]);
    expect((await ask('broken')).json.model).toBe('spare');
    expect((await call('GET /fallback/broken')).json.fallback_models).toEqual(['spare']);
    const wrong = await call('POST /fallback', { model: 'broken', fallback_models: ['spar'] });
    expect([wrong.status, wrong.json.error.message]).toEqual([404, "There is no model 'spar'. Did you mean spare?"]);
    expect((await call('POST /fallback', { model: 'broken', fallback_models: ['broken'] })).status).toBe(400);
    expect((await call('DELETE /fallback/broken')).status).toBe(200);
    expect((await call('DELETE /fallback/broken')).status).toBe(404);
    expect((await ask('broken')).status).toBe(500);
  });

  it('are laid over the file, refused as a whole when they are wrong, and shown', async () => {
    const update = (body: object) => call('POST /config/update', body);
    const good = await update({ router_settings: { num_retries: 3, cooldown_tim: 9 }, litellm_settings: {} });
    expect([good.status, good.json.warnings]).toEqual([
      200,
      [expect.stringMatching(/cooldown_tim: unknown key; did you mean cooldown_time\?/)],
    ]);
    expect((await call('GET /router/settings')).json.current_values.num_retries).toBe(3);
    const bad = await update({ router_settings: { num_retries: 4, routing_strategy: 'fastest' } });
    expect([bad.status, bad.json.error.message]).toEqual([400, expect.stringContaining('routing_strategy')]);
    expect((await call('GET /router/settings')).json.current_values.num_retries).toBe(3);
    const fixed = await update({ general_settings: { master_key: 'sk-mine-now-and-for-ever' } });
    expect([fixed.status, fixed.json.error.message]).toEqual([400, expect.stringContaining('when the program starts')]);
    expect((await update({})).status).toBe(400);

    await call('POST /config/field/update', { field_name: 'enforce_user_param', field_value: true });
    expect((await ask('good')).json.error.message).toContain('param=user');
    const listed = (await call('GET /config/list')).json as { field_name: string; stored_in_db: boolean }[];
    expect(listed.find((one) => one.field_name === 'enforce_user_param')).toMatchObject({ stored_in_db: true });
    await call('POST /config/field/delete', { field_name: 'enforce_user_param' });
    expect((await ask('good')).status).toBe(200);
    expect((await call('PATCH /config/cost_discount_config', { openai: 0.5 })).json.values).toEqual({ openai: 0.5 });
    await update({ environment_variables: { SOME_KEY: 'hidden-value' } });
    const audit = JSON.stringify((await call('GET /audit')).json);
    expect(audit).toContain('SOME_KEY');
    expect(audit).not.toContain('hidden-value');
  });

  it('are still in force after a restart', async () => {
    await call('POST /fallback', { model: 'broken', fallback_models: ['good'] });
    await gateway.stop();
    gateway = await startGateway({ config, folder });
    expect((await ask('broken')).json.model).toBe('good');
    expect((await call('GET /router/settings')).json.current_values.num_retries).toBe(3);
  });
});

describe('access groups', () => {
  it('stand in lists of models under their name, and can be given to keys by id', async () => {
    expect((await call('POST /access_group/new', { access_group: 'tier', model_names: ['goood'] })).status).toBe(400);
    expect((await call('POST /access_group/new', { access_group: 'good', model_names: ['good'] })).status).toBe(400);
    const made = await call('POST /access_group/new', { access_group: 'tier', model_names: ['good'] });
    expect(made.json).toMatchObject({ access_group: 'tier', model_names: ['good'], deployment_count: 1 });
    const named = (await call('POST /key/generate', { models: ['tier'] })).json.key;
    const listed = (await call('POST /key/generate', { models: ['broken'] })).json;
    expect([(await ask('good', named)).status, (await ask('spare', named)).status]).toEqual([200, 403]);
    await call('PUT /access_group/tier/update', { model_names: ['spare'] });
    expect([(await ask('good', named)).status, (await ask('spare', named)).status]).toEqual([403, 200]);

    const body = { access_group_name: 'given', access_model_names: ['good'], assigned_key_ids: [listed.key] };
    const given = (await call('POST /v1/access_group', body)).json;
    expect((await ask('good', listed.key)).status).toBe(200);
    expect((await call(`GET /key/info?key=${listed.token}`)).json.info.access_group_ids).toEqual([
      given.access_group_id,
    ]);
    await call(`PUT /v1/access_group/${given.access_group_id}`, { assigned_key_ids: [] });
    expect((await ask('good', listed.key)).status).toBe(403);
    expect((await call('GET /access_group/list')).json.access_groups).toHaveLength(2);
    expect((await call('DELETE /access_group/tier/delete')).status).toBe(200);
    expect((await ask('spare', named)).status).toBe(403);
    expect((await call('GET /access_group/tier/info')).status).toBe(404);
  });
});

describe('projects', () => {
  it('bound the keys that name them: models, money, blocking', async () => {
    await call('POST /team/new', { team_id: 'red' });
    await call('POST /team/new', { team_id: 'blue' });
    const project = { team_id: 'red', project_id: 'p', project_alias: 'Search', models: ['good'], max_budget: 1 };
    expect((await call('POST /project/new', project)).json).toMatchObject({ project_id: 'p', spend: 0, max_budget: 1 });
    expect((await call('POST /key/generate', { team_id: 'blue', project_id: 'p' })).status).toBe(400);
    expect((await call('POST /key/generate', { team_id: 'red', project_id: 'none' })).status).toBe(404);
    const { key } = (await call('POST /key/generate', { team_id: 'red', project_id: 'p' })).json;
    expect((await ask('good', key)).status).toBe(200);
    const denied = await ask('spare', key);
    expect([denied.status, denied.json.error.type]).toEqual([403, 'project_model_access_denied']);
    expect((await call('GET /project/info?project_id=p')).json.spend).toBeGreaterThan(0);
    await call('POST /project/update', { project_id: 'p', max_budget: 0 });
    const broke = await ask('good', key);
    expect([broke.status, broke.json.error.message]).toEqual([429, expect.stringContaining('Project=p Current cost')]);
    await call('POST /project/update', { project_id: 'p', max_budget: null, blocked: true });
    expect((await ask('good', key)).json.error.message).toContain('Project is blocked');
    expect((await call('GET /project/list?team_id=red')).json).toHaveLength(1);
    await call('DELETE /project/delete', { project_ids: ['p'] });
    expect((await ask('good', key)).status).toBe(401);
    await call('POST /key/update', { key, project_id: null });
    expect((await ask('good', key)).status).toBe(200);
  });
});

describe('paths that are passed on', () => {
  it('are opened, changed and closed while the program runs; what their headers hold is not shown', async () => {
    const open = await call('POST /config/pass_through_endpoint', {
      path: '/opened',
      target: `${upstream.url}/v1/models`,
      headers: { 'x-service-key': 'secret-of-the-service' },
    });
    expect([open.status, open.json.endpoints[0]]).toEqual([
      200,
      expect.objectContaining({ path: '/opened', headers: { 'x-service-key': '[redacted]' } }),
    ]);
    const { id } = open.json.endpoints[0];
    expect((await call('GET /opened')).status).toBe(200);
    expect(upstream.requests.at(-1)!.headers['x-service-key']).toBe('secret-of-the-service');
    expect((await call('POST /config/pass_through_endpoint', { path: '/opened', target: upstream.url })).status).toBe(
      400,
    );

    const changed = await call(`POST /config/pass_through_endpoint/${id}`, { path: '/moved' });
    expect(changed.json.endpoints[0]).toMatchObject({ id, path: '/moved' });
    expect([(await call('GET /opened')).status, (await call('GET /moved')).status]).toEqual([404, 200]);
    expect(upstream.requests.at(-1)!.headers['x-service-key']).toBe('secret-of-the-service');
    expect((await call('GET /config/pass_through_endpoint')).json.endpoints).toHaveLength(1);

    expect((await call(`DELETE /config/pass_through_endpoint?endpoint_id=${id}`)).json.endpoints[0].id).toBe(id);
    expect((await call('GET /moved')).status).toBe(404);
    expect((await call('GET /config/pass_through_endpoint')).json.endpoints).toEqual([]);
    expect((await call('DELETE /config/pass_through_endpoint?endpoint_id=gone')).status).toBe(404);
    expect((await call('POST /config/pass_through_endpoint', { path: 'x', target: 'ftp://x' })).status).toBe(422);
  });
});
