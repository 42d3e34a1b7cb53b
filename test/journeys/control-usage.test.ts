import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Attempt, RequestRecord } from '../../src/core/request-record.ts';
import { noUsage } from '../../src/core/usage.ts';
import { requestRecord } from '../contract/records.ts';
import { type ControlJourney, startControlPlane } from './control-plane.ts';

let journey: ControlJourney;
let kim: string;
let kimId: string;
let bare: string;
const hour = 3_600_000;
const day = 24 * hour;
const today = Math.floor(Date.now() / day) * day;
const dollar = 1_000_000_000;

const attempt = (changes: Partial<Attempt> = {}): Attempt => ({
  deploymentId: 'gpt-4o-mini',
  group: 'gpt-4o-mini',
  provider: 'openai',
  model: 'gpt-4o-mini',
  startedAt: today + 2,
  durationMs: 400,
  status: 200,
  result: 'success',
  ambiguous: false,
  charged: 0,
  ...changes,
});

async function record(id: string, changes: Partial<RequestRecord> = {}): Promise<void> {
  const made = requestRecord(id, {
    startedAt: today,
    endedAt: today + 500,
    modelGroup: 'gpt-4o-mini',
    deploymentId: 'gpt-4o-mini',
    provider: 'openai',
    modelUsed: 'gpt-4o-mini',
    attempts: [attempt()],
    ...changes,
  });
  await journey.store.books.apply({ processId: 'p', entries: [{ record: made, accounts: [] }] });
}

beforeAll(async () => {
  journey = await startControlPlane();
  await journey.call('POST /team/new', { body: { team_id: 'red', team_alias: 'Red, "the" team' } });
  await journey.call('POST /user/new', { body: { user_id: 'kim' } });
  const made = await journey.call('POST /key/generate', { body: { user_id: 'kim', key_alias: '=kim' } });
  kim = made.json.key;
  kimId = made.json.token;
  bare = (await journey.call('POST /key/generate', { body: {} })).json.key;
  await record('a', { teamId: 'red', cost: dollar, tags: ['x', 'y'] });
  await record('b', { keyId: kimId, userId: 'kim', cost: 2 * dollar, endedAt: today + 4_000 });
  await record('c', { startedAt: today - day, endedAt: today - day + 100, keyId: kimId, userId: 'kim', cost: dollar });
  await record('d', { status: 'denied', errorCode: 'budget_exceeded', attempts: [], endUserId: 'shop' });
});
afterAll(() => journey.close());

const get = async (path: string, key?: string) => journey.call(`GET ${path}`, key === undefined ? {} : { key });

describe('sums', () => {
  it('are grouped, bucketed, named and totalled', async () => {
    const { json } = await get('/usage?from=7d&bucket=day&group_by=team,status');
    expect(json.totals).toMatchObject({ requests: 4, successes: 3, failures: 1, cost: 4, attempts: 3 });
    expect(json.rows.map((row: Record<string, unknown>) => [row.bucket, row.team_alias, row.status, row.cost])).toEqual(
      [
        [new Date(today - day).toISOString().slice(0, 10), null, 'success', 1],
        [new Date(today).toISOString().slice(0, 10), null, 'success', 2],
        [new Date(today).toISOString().slice(0, 10), 'Red, "the" team', 'success', 1],
        [new Date(today).toISOString().slice(0, 10), null, 'denied', 0],
      ],
    );
  });

  it('tell percentiles, and means that count everything', async () => {
    const { json } = await get(
      `/usage?from=${new Date(today).toISOString()}&to=${new Date(today + day).toISOString()}`,
    );
    expect(json.rows[0].latency_ms.p50).toBeGreaterThan(350);
    expect(json.rows[0].latency_ms.p50).toBeLessThan(700);
    expect(json.rows[0].latency_ms.p99).toBeGreaterThan(3_000);
    expect(json.rows[0].first_token_ms).toBeNull();
    expect(json.rows[0].mean_ms).toBeCloseTo((500 + 4_000 + 500) / 3);
  });

  it('by tag count a request under each of its tags and once in all', async () => {
    const { json } = await get('/usage?from=7d&group_by=tag');
    expect(json.rows.map((row: { tag: string; cost: number }) => [row.tag, row.cost])).toEqual([
      ['x', 1],
      ['y', 1],
    ]);
    expect(json.totals.cost).toBe(4);
    expect((await get('/usage?tag=x&group_by=key')).json.totals.cost).toBe(1);
    expect((await get('/usage?group_by=end_user&status=denied')).json.rows).toMatchObject([{ end_user: 'shop' }]);
  });

  it('come by the hour and the month, and as CSV without formulas', async () => {
    const hours = await get(`/usage?bucket=hour&from=${new Date(today).toISOString()}&to=1s&key=%3Dkim`);
    expect(hours.json.rows).toMatchObject([{ bucket: new Date(today).toISOString().replace('.000', ''), cost: 2 }]);
    const months = await get('/usage?from=60d&bucket=month');
    expect(months.json.rows.reduce((sum: number, row: { cost: number }) => sum + row.cost, 0)).toBe(4);
    const { text, headers } = await get('/usage?from=7d&group_by=key,team&format=csv');
    expect(headers.get('content-type')).toContain('text/csv');
    const lines = text.split('\r\n');
    expect(lines[0]).toMatch(/^key,key_alias,team,team_alias,requests,.*latency_p50_ms/);
    expect(lines[1]).toContain(`${kimId},'=kim,,,2`);
    expect(text).toContain('"Red, ""the"" team"');
  });

  it('show others only what is theirs', async () => {
    expect((await get('/usage?from=7d', kim)).json.totals).toMatchObject({ requests: 2, cost: 3 });
    expect((await get('/usage?from=7d', bare)).json.totals.requests).toBe(0);
    expect((await get('/usage?from=7d&team=red', kim)).json.totals.requests).toBe(0);
    expect((await get('/usage?user=other', kim)).status).toBe(403);
    expect((await get(`/usage?key=${kimId}`, bare)).status).toBe(403);
  });

  it('say what is wrong with a question', async () => {
    const message = async (path: string) => {
      const { status, json } = await get(path);
      return `${status} ${json.error.message}`;
    };
    expect(await message('/usage?group_by=colour')).toMatch(/^400 group_by: 'colour' is not known; expected key, user/);
    expect(await message('/usage?from=2026-02-30x')).toMatch(
      /^400 from must be a date .*, or how long ago \(24h, 7d\)/,
    );
    expect(await message('/usage?from=1h&to=2h')).toMatch(/^400 from must be before to/);
    expect(await message('/usage?tag=x&group_by=end_user')).toMatch(/^400 Sums are kept by tag and by end user/);
    expect(await message('/usage?bucket=hour&tag=x')).toMatch(/^400 Hours are kept/);
    expect(await message('/usage?bucket=week')).toMatch(/^422 bucket/);
  });
});

describe('requests', () => {
  it('are paged by a cursor without gaps, also where times are equal', async () => {
    for (let index = 0; index < 7; index++) await record(`page${index}`, { sessionId: 's' });
    const seen: string[] = [];
    let cursor = '';
    for (let pages = 0; pages < 5; pages++) {
      const { json } = await get(`/usage/requests?session=s&limit=3${cursor}`);
      seen.push(...json.requests.map((one: { id: string }) => one.id));
      if (json.next_cursor === null) break;
      cursor = `&cursor=${json.next_cursor}`;
    }
    expect(seen).toEqual(Array.from({ length: 7 }, (_, index) => `page${6 - index}`));
    expect((await get('/usage/requests?cursor=nonsense')).status).toBe(400);
    const dear = await get('/usage/requests?min_cost=2&from=7d');
    expect(dear.json.requests.map((one: { id: string }) => one.id)).toEqual(['b']);
    expect((await get('/usage/requests?from=7d', kim)).json.requests).toHaveLength(2);
  });

  it('tell their story: steps, tries, and a cost that adds up', async () => {
    const usage = { ...noUsage, inputTokens: 1_000, cacheReadTokens: 200, outputTokens: 500 };
    const failed = attempt({
      deploymentId: 'llama',
      group: 'llama-4-scout',
      result: 'upstream_unavailable',
      status: 503,
    });
    await record('story', {
      keyId: kimId,
      userId: 'kim',
      usage,
      cost: 1_200 * 150 + 500 * 600,
      bound: dollar,
      admittedMs: 1.5,
      firstTokenAt: today + 300,
      attempts: [{ ...failed, durationMs: 100 }, attempt({ startedAt: today + 105 })],
    });
    const { json } = await get('/usage/requests/story', kim);
    expect(json.steps.map((one: { at_ms: number; step: string }) => [one.at_ms, one.step])).toEqual([
      [0, 'received'],
      [1.5, 'admitted'],
      [2, 'attempt 1'],
      [102, 'attempt 1 ended'],
      [105, 'attempt 2'],
      [300, 'first content left'],
      [500, 'success'],
      [505, 'attempt 2 ended'],
    ]);
    expect(json.cost_arithmetic).toMatchObject({ charged: 0.00048, listed: 0.00048, reproduced: true, discount: 0 });
    expect(json.cost_arithmetic.lines).toEqual([
      { class: 'input', tokens: 1_000, dollars_per_million: 0.15, cost: 0.00015 },
      { class: 'cache_read', tokens: 200, dollars_per_million: 0.15, cost: 0.00003 },
      { class: 'output', tokens: 500, dollars_per_million: 0.6, cost: 0.0003 },
    ]);
    expect(json.times).toMatchObject({ total_ms: 500, first_content_ms: 300, providers_ms: 500, retries: 1 });
    expect((await get('/usage/requests/story', bare)).status).toBe(404);
    expect((await get('/usage/requests/none')).status).toBe(404);
    expect((await get('/usage/requests/d')).json.cost_arithmetic).toMatchObject({ charged: 0, reproduced: true });
  });
});

describe('names of what is gone', () => {
  it('are those it had: of a deleted team and key, of a key that was rotated', async () => {
    const { team_id: team } = (await journey.call('POST /team/new', { body: { team_alias: 'Short-lived' } })).json;
    const made = (await journey.call('POST /key/generate', { body: { team_id: team, key_alias: 'rotated' } })).json;
    await record('gone-1', {
      teamId: team,
      keyId: made.token,
      startedAt: today - 400 * day,
      endedAt: today - 400 * day,
    });
    await journey.call('POST /key/regenerate', { body: { key: made.token } });
    await journey.call('POST /team/delete', { body: { team_ids: [team] } });
    const range = `from=${new Date(today - 401 * day).toISOString()}&to=${new Date(today - 399 * day).toISOString()}`;
    const { json } = await get(`/usage?${range}&group_by=key,team`);
    expect(json.rows).toMatchObject([{ key_alias: 'rotated', team_alias: 'Short-lived' }]);
  });
});

describe('chargeback', () => {
  const month = new Date(today).toISOString().slice(0, 7);

  it('comes by month as JSON, CSV and Markdown, and adds up', async () => {
    const { json } = await get(`/usage/chargeback?by=team&month=${month}`);
    expect(json).toMatchObject({ month, by: 'team', complete: false });
    expect(json.rows.reduce((sum: number, row: { cost: number }) => sum + row.cost, 0)).toBeCloseTo(json.total, 9);
    const red = json.rows.find((row: { id: string }) => row.id === 'red');
    expect(red).toMatchObject({ cost: 1, models: [{ model: 'gpt-4o-mini', provider: 'openai', cost: 1 }] });
    const sheet = await get(`/usage/chargeback?by=key&month=${month}&format=csv`);
    expect(sheet.text).toContain(`${month},${kimId},'=kim,gpt-4o-mini,openai,`);
    const page = await get(`/usage/chargeback?by=team&month=${month}&format=markdown`);
    expect(page.text).toMatch(/^# Chargeback \d{4}-\d{2} by team, so far\n\nTotal: \d+\.\d\d US dollars\./);
    expect(page.text).toContain('| Red, "the" team | 1 |');
    expect((await get('/usage/chargeback?month=2026-13')).status).toBe(422);
    expect((await get('/usage/chargeback?month=2020-01')).json).toMatchObject({ complete: true, total: 0, rows: [] });
  });
});

describe('feedback', () => {
  it('scores a trace, is changed by who gave it, and stands in the story', async () => {
    await record('liked', { keyId: kimId, userId: 'kim', traceId: 'trace-1' });
    const give = (body: unknown, key?: string) => journey.call('POST /v1/feedback', { body, ...(key && { key }) });
    const made = await give({ trace_id: 'trace-1', value: 8, metadata: { by: 'x'.repeat(500) } }, kim);
    expect(made.json).toMatchObject({ status: 'success', feedback_ids: [expect.any(String)] });
    await give(
      [
        { trace_id: 'liked', value: -2, weight: 0.5 },
        { trace_id: 'trace-1', value: 1, weight: 7 },
      ],
      bare,
    );
    const all = (await get('/v1/feedback?trace_id=trace-1')).json;
    expect(all).toMatchObject({ count: 2, weighted_mean: 4.5 });
    expect(all.feedback[0].metadata.by).toHaveLength(128);
    expect((await get('/v1/feedback?trace_id=trace-1', kim)).json.count).toBe(1);
    const change = (key: string) =>
      journey.call(`PUT /v1/feedback/${made.json.feedback_ids[0]}`, { body: { value: 2 }, key });
    expect([(await change(bare)).status, (await change(kim)).status]).toEqual([404, 200]);
    const values = (story: { feedback: { value: number }[] }) => story.feedback.map((one) => one.value).sort();
    expect(values((await get('/usage/requests/liked')).json)).toEqual([-2, 1, 2]);
    expect((await get('/usage/requests/liked', kim)).json.feedback).toHaveLength(1);
    expect((await give({ trace_id: 't', value: 11 })).status).toBe(422);
    expect((await give([])).status).toBe(422);
  });
});
