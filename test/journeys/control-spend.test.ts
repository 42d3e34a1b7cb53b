import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountKey } from '../../src/core/books.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import { noUsage } from '../../src/core/usage.ts';
import { type ControlJourney, startControlPlane } from './control-plane.ts';

let journey: ControlJourney;
let mine: { key: string; token: string };
let other: { key: string; token: string };
const today = new Date().toISOString().slice(0, 10);
const noon = Date.parse(`${today}T12:00:00Z`);

beforeAll(async () => {
  journey = await startControlPlane();
  await journey.call('POST /user/new', { body: { user_id: 'kim' } });
  await journey.call('POST /team/new', { body: { team_id: 'red', team_alias: 'Red' } });
  mine = (await journey.call('POST /key/generate', { body: { user_id: 'kim', key_alias: 'kim-key' } })).json;
  other = (await journey.call('POST /key/generate', { body: { team_id: 'red', max_budget: 9, budget_duration: '1d' } }))
    .json;
  await record('one', { keyId: mine.token, userId: 'kim', cost: 1_500_000, tags: ['batch'], endUserId: 'shop' });
  await record('two', { keyId: mine.token, userId: 'kim', cost: 500_000, modelUsed: 'llama', provider: 'vllm' });
  await record('three', {
    keyId: other.token,
    teamId: 'red',
    cost: 3_000_000,
    status: 'failure',
    httpStatus: 503,
    errorCode: 'upstream_unavailable',
    errorMessage: 'gone',
  });
});
afterAll(() => journey.close());

async function record(id: string, fields: Partial<RequestRecord>): Promise<void> {
  const row: RequestRecord = {
    id,
    operation: 'chat',
    dialect: 'openai-chat',
    path: '/v1/chat/completions',
    status: 'success',
    httpStatus: 200,
    errorCode: null,
    errorMessage: null,
    keyId: null,
    keyAlias: null,
    userId: null,
    teamId: null,
    organizationId: null,
    endUserId: null,
    tags: [],
    sessionId: null,
    traceId: null,
    clientAddress: '127.0.0.1',
    modelAsked: 'gpt-4o-mini',
    modelGroup: 'gpt-4o-mini',
    deploymentId: 'gpt-4o-mini',
    provider: 'openai',
    modelUsed: 'gpt-4o-mini',
    apiBase: 'http://upstream.test/v1',
    stream: false,
    cacheHit: false,
    cacheKey: null,
    usage: { ...noUsage, inputTokens: 100, cacheReadTokens: 50, outputTokens: 30 },
    cost: 0,
    bound: 10_000_000,
    priceSource: 'config',
    startedAt: noon,
    firstTokenAt: noon + 10,
    endedAt: noon + 20,
    overheadMs: 0.2,
    attempts: [],
    finishReason: 'stop',
    metadata: { team: 'x' },
    requestText: null,
    responseText: null,
    ...fields,
  };
  const account = { model: '', cap: null, delta: row.cost, leaseReturn: 0 } as const;
  const keyWindow =
    row.keyId === other.token
      ? { windowStart: Date.parse(`${today}T00:00:00Z`), duration: '1d' }
      : { windowStart: 0, duration: '' };
  await journey.store.books.apply({
    processId: 'test',
    entries: [
      {
        record: row,
        accounts: [
          {
            ...account,
            ...keyWindow,
            scope: 'key',
            id: row.keyId!,
            key: accountKey('key', row.keyId!, '', keyWindow.duration),
          },
          ...(row.userId === null
            ? []
            : [
                {
                  ...account,
                  windowStart: 0,
                  duration: '',
                  scope: 'user' as const,
                  id: row.userId,
                  key: accountKey('user', row.userId, '', ''),
                },
              ]),
        ],
      },
    ],
  });
}

describe('spend', () => {
  it('stands on keys and users', async () => {
    expect((await journey.call('GET /key/info', { key: mine.key })).json.info.spend).toBe(0.002);
    expect((await journey.call(`GET /key/info?key=${other.token}`)).json.info.spend).toBe(0.003);
    expect((await journey.call('GET /user/info?user_id=kim')).json.user_info.spend).toBe(0.002);
  });

  it('is logged a row a request, in LiteLLM’s names', async () => {
    const { json } = await journey.call('GET /spend/logs?request_id=one');
    expect(json).toEqual([
      {
        request_id: 'one',
        call_type: 'acompletion',
        api_key: mine.token,
        spend: 0.0015,
        total_tokens: 180,
        prompt_tokens: 150,
        completion_tokens: 30,
        startTime: `${today}T12:00:00.000Z`,
        endTime: `${today}T12:00:00.020Z`,
        completionStartTime: `${today}T12:00:00.010Z`,
        model: 'gpt-4o-mini',
        model_id: 'gpt-4o-mini',
        model_group: 'gpt-4o-mini',
        custom_llm_provider: 'openai',
        api_base: 'http://upstream.test/v1',
        user: 'kim',
        metadata: expect.objectContaining({ team: 'x', status: 'success', user_api_key: mine.token }),
        cache_hit: 'False',
        cache_key: null,
        request_tags: ['batch'],
        team_id: null,
        organization_id: null,
        end_user: 'shop',
        requester_ip_address: '127.0.0.1',
        messages: {},
        response: {},
        proxy_server_request: {},
        session_id: null,
        status: 'success',
        mcp_namespaced_tool_name: null,
      },
    ]);
    expect((await journey.call('GET /spend/logs')).json).toHaveLength(3);
    expect((await journey.call(`GET /spend/logs?api_key=${mine.key}`)).json).toHaveLength(2);
    expect(
      (await journey.call('GET /spend/logs?user_id=kim&start_date=2020-01-01&end_date=2020-02-01&summarize=false'))
        .json,
    ).toEqual([]);
  });

  it('is summed per day', async () => {
    const { json } = await journey.call(`GET /spend/logs?start_date=${today}&end_date=${today}`);
    expect(json).toEqual([
      {
        startTime: today,
        spend: 0.005,
        users: { kim: 0.002, '': 0.003 },
        models: { 'gpt-4o-mini': 0.0045, llama: 0.0005 },
        api_keys: { [mine.token]: 0.002, [other.token]: 0.003 },
      },
    ]);
  });

  it('is filtered and paged', async () => {
    const failed = await journey.call('GET /spend/logs/v2?status_filter=failure');
    expect(failed.json).toMatchObject({ total: 1, data: [{ request_id: 'three', status: 'failure' }] });
    expect(failed.json.data[0].metadata.error_information).toEqual({
      error_code: '503',
      error_class: 'upstream_unavailable',
      error_message: 'gone',
    });
    const page = await journey.call('GET /spend/logs/ui?page_size=1&page=2&sort_by=spend&sort_order=asc');
    expect(page.json).toMatchObject({ total: 3, total_pages: 3, data: [{ request_id: 'one' }] });
    expect(
      (await journey.call('GET /spend/logs/v2?min_spend=0.001&model=gpt-4o-mini&key_alias=kim-key')).json.total,
    ).toBe(1);
    expect((await journey.call('GET /spend/logs/v2?start_date=someday')).status).toBe(400);
  });

  it('is told to each caller as far as it is theirs', async () => {
    expect((await journey.call('GET /spend/logs', { key: mine.key })).json).toHaveLength(2);
    expect((await journey.call('GET /spend/logs', { key: other.key })).json).toHaveLength(1);
    expect((await journey.call('GET /spend/logs?request_id=three', { key: mine.key })).json).toEqual([]);
    expect((await journey.call('GET /spend/logs?user_id=someone', { key: mine.key })).status).toBe(403);
    expect((await journey.call(`GET /spend/logs/v2?api_key=${other.token}`, { key: mine.key })).json.total).toBe(0);
    expect((await journey.call('GET /spend/logs/ui/three', { key: mine.key })).json).toEqual({});
    expect((await journey.call('GET /user/daily/activity', { key: mine.key })).json.metadata.total_spend).toBe(0.002);
    expect((await journey.call('GET /global/spend', { key: mine.key })).status).toBe(403);
  });

  it('is broken down by day, model, key and whom it was for', async () => {
    const { json } = await journey.call(`GET /user/daily/activity?start_date=${today}&end_date=${today}`);
    expect(json.metadata).toMatchObject({
      total_spend: 0.005,
      total_prompt_tokens: 450,
      total_completion_tokens: 90,
      total_api_requests: 3,
      total_successful_requests: 2,
      total_failed_requests: 1,
      has_more: false,
    });
    expect(json.results[0]).toMatchObject({ date: today, metrics: { spend: 0.005, cache_read_input_tokens: 150 } });
    expect(json.results[0].breakdown.entities.kim.metrics.api_requests).toBe(2);
    expect(json.results[0].breakdown.models.llama.metrics.spend).toBe(0.0005);
    const tags = await journey.call('GET /tag/daily/activity?tags=batch');
    expect(tags.json.metadata.total_spend).toBe(0.0015);
  });

  it('is reported over everything to administrators', async () => {
    const answers = async (path: string) => (await journey.call(`GET ${path}`)).json;
    expect(await answers('/global/spend')).toEqual({ spend: 0.005, max_budget: 0 });
    expect(await answers('/global/spend/logs')).toEqual([{ date: today, spend: 0.005 }]);
    expect((await answers('/global/spend/keys')).map((row: { key_alias: string }) => row.key_alias)).toEqual([
      null,
      'kim-key',
    ]);
    expect((await answers('/global/spend/models'))[0]).toEqual({ model: 'gpt-4o-mini', total_spend: 0.0045 });
    expect(await answers('/global/spend/provider')).toContainEqual({ provider: 'vllm', spend: 0.0005 });
    expect(await answers('/global/spend/end_users')).toEqual([
      { end_user: 'shop', total_count: 1, total_spend: 0.0015 },
    ]);
    expect(await answers('/spend/tags')).toEqual([
      { individual_request_tag: 'batch', log_count: 1, total_spend: 0.0015 },
    ]);
    expect(await answers('/global/spend/all_tag_names')).toEqual({ tag_names: ['batch'] });
    expect((await answers('/global/spend/teams')).total_spend_per_team).toContainEqual({
      team_id: 'red',
      total_spend: 0.003,
    });
    expect(await answers('/global/activity')).toMatchObject({ sum_api_requests: 3, sum_total_tokens: 540 });
    expect(await answers('/global/activity/model')).toMatchObject([{ model: 'gpt-4o-mini', sum_api_requests: 3 }]);
    expect(await answers(`/global/spend/report?start_date=${today}&end_date=${today}&group_by=team`)).toMatchObject([
      {
        group_by_day: today,
        teams: [
          { team_name: 'Unassigned', total_spend: 0.002 },
          { team_name: 'Red', total_spend: 0.003 },
        ],
      },
    ]);
    expect(await answers(`/global/spend/report?start_date=${today}&end_date=${today}&group_by=api_key`)).toMatchObject([
      { api_keys: expect.arrayContaining([expect.objectContaining({ api_key: mine.token, total_spend: 0.002 })]) },
    ]);
  });

  it('of a key starts anew when it is reset, and stays on record', async () => {
    const reset = await journey.call(`POST /key/${mine.token}/reset_spend`, { body: { reset_to: 0 } });
    expect(reset.json.spend).toBe(0);
    expect((await journey.call('GET /key/info', { key: mine.key })).json.info.spend).toBe(0);
    expect((await journey.call(`GET /spend/logs?api_key=${mine.token}`)).json).toHaveLength(2);
    expect(
      (await journey.call(`POST /key/${mine.token}/reset_spend`, { body: { reset_to: 0 }, key: mine.key })).status,
    ).toBe(403);
    expect((await journey.call(`POST /key/${mine.token}/reset_spend`, { body: { reset_to: 1 } })).status).toBe(400);
    expect(await journey.store.audit.list({ where: { objectId: mine.token, action: 'reset' } })).toHaveLength(1);
  });
});

describe('lists', () => {
  const get = async (path: string) => (await journey.call(`GET ${path}`)).json;

  it('tell who spent most', async () => {
    const keys = await get('/spend/keys');
    expect(keys[0]).toMatchObject({ token: other.token, spend: 0.003 });
    const spends = keys.map((one: { spend: number }) => one.spend);
    expect(spends).toEqual([...spends].sort((one, another) => another - one));
    expect(await get('/spend/users?user_id=kim')).toMatchObject([{ user_id: 'kim', spend: 0.002 }]);
    expect(await get('/provider/budgets')).toEqual({ providers: {} });
  });

  it('count users by tag', async () => {
    expect(await get('/tag/summary')).toEqual({
      results: [
        {
          tag: 'batch',
          unique_users: 1,
          total_requests: 1,
          successful_requests: 1,
          failed_requests: 0,
          total_tokens: 180,
          total_spend: 0.0015,
        },
      ],
    });
    expect(await get('/tag/dau')).toEqual({ results: [{ tag: 'batch', active_users: 1, date: today }] });
    expect((await get('/tag/wau?tag_filter=batch')).results).toHaveLength(1);
    expect((await get('/tag/mau?tag_filter=none')).results).toEqual([]);
  });
});
