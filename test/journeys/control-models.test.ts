import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openParams } from '../../src/admin/sealed-params.ts';
import { type ControlJourney, deployment, startControlPlane } from './control-plane.ts';

let journey: ControlJourney;
let reloads = 0;
let probes = 0;
let storeAnswers = true;
beforeAll(async () => {
  journey = await startControlPlane({
    reloadModels: async () => {
      reloads += 1;
    },
    modelFault: (entry) =>
      String((entry.litellm_params as { model?: string }).model).startsWith('openai/')
        ? null
        : 'model: unknown provider',
    async probe(target) {
      probes += 1;
      const healthy = target.id !== 'llama-4-scout';
      return {
        healthy,
        asked: true,
        error: healthy ? null : 'connection refused',
        status: null,
        durationMs: 1,
        headers: { 'x-ratelimit-remaining-tokens': '9' },
      };
    },
    condition: (target) => ({
      coolingDownUntil: null,
      lastError:
        target.id === 'gpt-4o-mini-b'
          ? { at: 1, status: 503, message: 'http://10.0.0.7/v1 said no', reason: 'answered 503' }
          : null,
      lastSuccessAt: null,
      inFlight: 2,
      requestsThisMinute: 7,
      failuresThisMinute: 1,
      msPerOutputToken: 12.5,
      firstTokenMs: 80,
    }),
  });
  const ping = journey.store.ping.bind(journey.store);
  journey.store.ping = () => (storeAnswers ? ping() : Promise.reject(new Error('gone')));
});
afterAll(() => journey.close());

const secret = 'sk-provider-secret-1234567890';

describe('models', () => {
  it('are listed as the key may use them', async () => {
    const all = await journey.call('GET /v1/models');
    expect(all.json).toEqual({
      object: 'list',
      data: ['llama-4-scout', 'gpt-4o-mini'].map((id) => ({
        id,
        object: 'model',
        created: 1_677_610_602,
        owned_by: 'openai',
      })),
    });
    const { key } = (await journey.call('POST /key/generate', { body: { models: ['gpt-4o-mini'] } })).json;
    const own = await journey.call('GET /models', { key });
    expect(own.json.data.map((model: { id: string }) => model.id)).toEqual(['gpt-4o-mini']);
    expect((await journey.call('GET /models/gpt-4o-mini', { key })).json.id).toBe('gpt-4o-mini');
    expect((await journey.call('GET /models/llama-4-scout', { key })).status).toBe(404);
    const google = await journey.call('GET /v1beta/models?pageSize=1');
    expect(google.json).toMatchObject({ models: [{ name: 'models/llama-4-scout' }], nextPageToken: '1' });
    expect((await journey.call('GET /v1beta/models?pageToken=1', { key })).json.models).toEqual([]);
    expect((await journey.call('GET /v1beta/models/gpt-4o-mini', { key })).json).toMatchObject({
      name: 'models/gpt-4o-mini',
      supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
    });
    expect((await journey.call('GET /v1beta/models/llama-4-scout', { key })).status).toBe(404);
    const info = await journey.call('GET /v1/model/info', { key });
    expect(info.json.data.map((entry: { model_info: { id: string } }) => entry.model_info.id)).toEqual([
      'gpt-4o-mini',
      'gpt-4o-mini-b',
    ]);
    expect(info.text).not.toContain('upstream.test');
    expect((await journey.call('GET /model/info')).json.data[0].litellm_params.api_base).toBe(
      'http://upstream.test/v1',
    );
    expect((await journey.call('GET /v2/model/info?size=2&page=2')).json).toMatchObject({
      total_count: 3,
      total_pages: 2,
      current_page: 2,
    });
  });

  it('tell what a group can do and costs', async () => {
    const { json } = await journey.call('GET /model_group/info?model_group=gpt-4o-mini');
    expect(json.data).toMatchObject([
      {
        model_group: 'gpt-4o-mini',
        providers: ['openai'],
        max_input_tokens: 128_000,
        input_cost_per_token: 1.5e-7,
        output_cost_per_token: 6e-7,
        mode: 'chat',
        supports_function_calling: true,
        supports_vision: false,
      },
    ]);
  });

  it('can be added, changed and removed, their credentials unreadable in the store', async () => {
    const made = await journey.call('POST /model/new', {
      body: {
        model_name: 'house-model',
        litellm_params: {
          model: 'openai/house',
          api_key: secret,
          extra_headers: { 'x-tenant': 'hidden-header-value' },
          api_base: 'http://10.0.0.9/v1',
          max_tokens: 5,
          aws_secret_access_key: 'os.environ/AWS_SECRET',
        },
        model_info: { id: 'house-1', tier: 'paid' },
      },
    });
    expect(made.status).toBe(200);
    expect(made.json).toMatchObject({
      model_id: 'house-1',
      model_name: 'house-model',
      litellm_params: { model: 'openai/house', max_tokens: 5 },
      model_info: { id: 'house-1', tier: 'paid', db_model: true },
    });
    expect(reloads).toBe(1);
    const row = (await journey.store.models.get('house-1'))!;
    const audit = await journey.store.audit.list({ where: { objectId: 'house-1' } });
    for (const text of [made.text, JSON.stringify(row), JSON.stringify(audit)]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain('hidden-header-value');
    }
    expect(row.params.aws_secret_access_key).toBe('os.environ/AWS_SECRET');
    expect(openParams(row.params, journey.plane.vault, 'house-1')).toMatchObject({
      api_key: secret,
      extra_headers: { 'x-tenant': 'hidden-header-value' },
      max_tokens: 5,
    });
    expect(() => openParams(row.params, journey.plane.vault, 'another-row')).toThrow('cannot be decrypted');

    const changed = await journey.call('POST /model/update', {
      body: { litellm_params: { max_tokens: 7 }, model_info: { id: 'house-1' } },
    });
    expect(changed.json.litellm_params).toMatchObject({ model: 'openai/house', max_tokens: 7 });
    const patched = await journey.call('PATCH /model/house-1/update', {
      body: { litellm_params: { max_tokens: null } },
    });
    expect(patched.json.litellm_params).not.toHaveProperty('max_tokens');
    expect(
      openParams((await journey.store.models.get('house-1'))!.params, journey.plane.vault, 'house-1').api_key,
    ).toBe(secret);
    expect((await journey.call('POST /model/block', { body: { id: 'house-1' } })).json.blocked).toBe(true);
    expect((await journey.call('POST /model/delete', { body: { id: 'house-1' } })).json.message).toContain(
      'deleted successfully',
    );
    expect((await journey.call('POST /model/delete', { body: { id: 'house-1' } })).status).toBe(404);
    expect(reloads).toBe(5);
  });

  it('are refused when they could not be used', async () => {
    const { status, json } = await journey.call('POST /model/new', {
      body: { model_name: 'x', litellm_params: { model: 'nowhere/x' } },
    });
    expect([status, json.error.message]).toEqual([400, 'model: unknown provider']);
    const taken = await journey.call('POST /model/new', {
      body: { model_name: 'x', litellm_params: { model: 'openai/x' }, model_info: { id: 'llama-4-scout' } },
    });
    expect(taken.status).toBe(400);
    expect(await journey.store.models.count()).toBe(0);
  });

  it('share credentials by name, whose values never come out', async () => {
    const body = { credential_name: 'house', credential_values: { api_key: secret }, credential_info: { team: 'a' } };
    expect((await journey.call('POST /credentials', { body })).json.success).toBe(true);
    expect((await journey.call('POST /credentials', { body })).status).toBe(400);
    const listed = await journey.call('GET /credentials');
    expect(listed.json.credentials).toEqual([
      { credential_name: 'house', credential_values: { api_key: '********' }, credential_info: { team: 'a' } },
    ]);
    await journey.call('PATCH /credentials/house', { body: { credential_values: { api_base: 'http://house.test' } } });
    const row = (await journey.store.credentials.get('house'))!;
    expect(openParams(row.values, journey.plane.vault, 'house')).toEqual({
      api_key: secret,
      api_base: 'http://house.test',
    });
    expect(JSON.stringify([row, await journey.store.audit.list()])).not.toContain(secret);
    expect((await journey.call('DELETE /credentials/house')).json.success).toBe(true);
    expect((await journey.call('GET /credentials/by_name/house')).status).toBe(404);
  });
});

describe('health', () => {
  it('says what is known to anyone, without a call, an address or a key', async () => {
    const { status, json, text } = await journey.call('GET /health', { key: null });
    expect(status).toBe(200);
    expect(json.healthy_count + json.unhealthy_count).toBe(3);
    expect(json.unhealthy_endpoints).toEqual([
      { model: 'gpt-4o-mini', model_id: 'gpt-4o-mini-b', error: 'last request failed: answered 503' },
    ]);
    expect(text).not.toMatch(/upstream\.test|10\.0\.0\.7|http/);
    expect(probes).toBe(0);
  });

  it('calls every deployment for an administrator', async () => {
    const { json } = await journey.call('GET /health');
    expect([json.healthy_count, json.unhealthy_count, probes]).toEqual([2, 1, 3]);
    expect(json.unhealthy_endpoints).toMatchObject([
      { model: 'openai/llama-4-scout', api_base: 'http://upstream.test/v1', error: 'connection refused' },
    ]);
    expect(json.healthy_endpoints[0]).toMatchObject({ model_id: 'gpt-4o-mini', 'x-ratelimit-remaining-tokens': '9' });
    expect((await journey.call('GET /health?model_id=gpt-4o-mini-b')).json.healthy_count).toBe(1);
  });

  it('tells the orchestrator whether it lives and whether it is ready', async () => {
    const { deployments } = (await journey.call('GET /health/deployments')).json;
    expect(deployments.map((one: { id: string; state: string }) => [one.id, one.state])).toEqual([
      ['llama-4-scout', 'degraded'],
      ['gpt-4o-mini', 'healthy'],
      ['gpt-4o-mini-b', 'degraded'],
    ]);
    expect(deployments[0]).toMatchObject({
      reason: 'last check failed: connection refused',
      in_flight: 2,
      first_token_ms: 80,
      last_check: { status: 'unhealthy', error_message: 'connection refused' },
    });
    expect((await journey.call('GET /health/latest')).json.total_models).toBe(3);
    const history = await journey.call('GET /health/history?status_filter=unhealthy&limit=1');
    expect(history.json).toMatchObject({ health_checks: [{ model_id: 'llama-4-scout' }], limit: 1 });
    expect((await journey.call('GET /health/services')).json).toMatchObject({
      status: 'success',
      services: [{ service: 'db', status: 'healthy' }],
    });
    const tried = await journey.call('POST /health/test_connection', {
      body: { litellm_params: { model: 'openai/x', api_key: secret } },
    });
    expect(tried.json).toEqual({
      status: 'error',
      result: { error: 'refused', response_time_ms: 1, http_status: 401 },
    });

    expect((await journey.call('GET /health/liveliness', { key: null })).text).toBe('"I\'m alive!"');
    expect((await journey.call('GET /health/liveness', { key: null })).status).toBe(200);
    const ready = await journey.call('GET /health/readiness', { key: null });
    expect([ready.status, ready.json]).toMatchObject([200, { status: 'healthy', db: 'connected', cache: null }]);
    storeAnswers = false;
    const away = await journey.call('GET /health/readiness', { key: null });
    storeAnswers = true;
    expect([away.status, away.json]).toMatchObject([503, { status: 'unhealthy', db: 'Not connected' }]);
    expect((await journey.call('GET /health/backlog', { key: null })).json).toEqual({ in_flight_requests: 3 });
  });
});

describe('tools', () => {
  it('count tokens', async () => {
    const { json } = await journey.call('POST /utils/token_counter', {
      body: { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hello' }] },
    });
    expect(json).toMatchObject({ request_model: 'gpt-4o-mini', model_used: 'gpt-4o-mini', tokenizer_type: 'test' });
    expect(json.total_tokens).toBeGreaterThan(5);
    expect((await journey.call('POST /utils/token_counter', { body: { model: 'gpt-4o-mini' } })).status).toBe(400);
  });

  it('reckon costs', async () => {
    const answer = await journey.call('POST /spend/calculate', {
      body: {
        completion_response: {
          model: 'gpt-4o-mini',
          usage: { prompt_tokens: 1_000, completion_tokens: 100, prompt_tokens_details: { cached_tokens: 200 } },
        },
      },
    });
    expect(answer.json.cost).toBeCloseTo(1_000 * 1.5e-7 + 100 * 6e-7, 12);
    const estimate = await journey.call('POST /cost/estimate', {
      body: { model: 'gpt-4o-mini', input_tokens: 1_000, output_tokens: 500, num_requests_per_day: 10 },
    });
    expect(estimate.json.cost_per_request).toBeCloseTo(0.00045, 12);
    expect(estimate.json.daily_cost).toBeCloseTo(0.0045, 12);
    expect((await journey.call('POST /cost/estimate', { body: { model: 'no-such' } })).status).toBe(400);
  });

  it('tell how requests are routed and what parameters a model takes', async () => {
    const { json } = await journey.call('GET /fallback/llama-4-scout');
    expect(json).toEqual({ model: 'llama-4-scout', fallback_models: ['gpt-4o-mini'], fallback_type: 'general' });
    expect((await journey.call('GET /router/settings')).json.current_values.routing_strategy).toBe('simple-shuffle');
    const params = await journey.call('GET /utils/supported_openai_params?model=gpt-4o-mini');
    expect(params.json.supported_openai_params).toContain('temperature');
    expect((await journey.call('GET /metrics', { key: null })).text).toBe('up 1\n');
    expect((await journey.call('GET /robots.txt', { key: null })).text).toContain('Disallow: /');
  });

  it('knows a team’s deployment only to that team', async () => {
    const mine = { ...deployment('team-only'), teamId: 'blue' };
    const snapshot = journey.plane.snapshot();
    (snapshot.groups as Map<string, unknown>).set('team-only', { name: 'team-only', deployments: [mine] });
    await journey.call('POST /team/new', { body: { team_id: 'blue' } });
    const inside = (await journey.call('POST /key/generate', { body: { team_id: 'blue' } })).json.key;
    const outside = (await journey.call('POST /key/generate', { body: {} })).json.key;
    expect((await journey.call('GET /models/team-only', { key: inside })).status).toBe(200);
    expect((await journey.call('GET /models/team-only', { key: outside })).status).toBe(404);
    (snapshot.groups as Map<string, unknown>).delete('team-only');
  });
});
