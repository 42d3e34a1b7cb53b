import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeProvider, serverError, startFakeProvider } from '../fake-provider/index.ts';
import { deployment } from './support/config-text.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* What an operator sees of the running gateway: health in words, metrics behind a key, log lines, stored prompts, retention. */

let fake: FakeProvider;
let gateway: GatewayProcess;

const chat = (model: string, content: string, more: object = {}) =>
  gateway.post('/v1/chat/completions', { model, messages: [{ role: 'user', content }], max_tokens: 30, ...more });

interface LogRow {
  readonly messages: unknown;
  readonly response: unknown;
  readonly request_id: string;
  readonly spend: number;
}

async function rowOf(answer: Response): Promise<LogRow> {
  const id = answer.headers.get('x-litellm-call-id')!;
  let rows: LogRow[] = [];
  await expect
    .poll(
      async () => {
        rows = (await (await gateway.get(`/spend/logs?request_id=${id}`)).json()) as LogRow[];
        return rows.length;
      },
      { timeout: 5_000 },
    )
    .toBe(1);
  return rows[0]!;
}

const configuration = (port: number, general: string) => `model_list:
${deployment('plain', fake.url, 'openai/plain', { input_cost_per_token: 0.000001, output_cost_per_token: 0.000002 })}
${deployment('failing', fake.url, 'openai/failing')}
${deployment('slow', fake.url, 'openai/slow', { timeout: 0.2 })}
${deployment('closed', fake.url, 'openai/closed', { api_base: `http://127.0.0.1:${port}/v1` })}
router_settings:
  num_retries: 0
litellm_settings:
  require_auth_for_metrics_endpoint: true
  success_callback: [langfuse]
general_settings:
  health_check_details: false
${general}`;

let closedPort: number;

beforeAll(async () => {
  fake = await startFakeProvider();
  fake.setForModel('failing', serverError(503));
  fake.setForModel('slow', { delayBeforeHeadersMs: 2_000 });
  const closed = createServer();
  await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done));
  closedPort = (closed.address() as AddressInfo).port;
  await new Promise((done) => closed.close(done));
  gateway = await startGateway({
    config: configuration(closedPort, '  store_prompts_in_spend_logs: true'),
    env: { LITELLM_LOG: 'INFO' },
  });
});

afterAll(async () => {
  await gateway?.stop();
  await fake?.close();
});

describe('health', () => {
  it.each([
    ['closed', 'connection refused'],
    ['slow', 'timed out'],
    ['failing', 'answered 503'],
  ])('of %s says without a key that it %s', async (model, reason) => {
    await (await chat(model, 'Hello')).text();
    const health = await (await fetch(`${gateway.url}/health?model=${model}`)).json();
    expect(health).toMatchObject({ unhealthy_endpoints: [{ model, error: `last request failed: ${reason}` }] });
    expect(JSON.stringify(health)).not.toMatch(/127\.0\.0\.1|sk-|status 500/);
  });

  it('without details tells no addresses to administrators either', async () => {
    const health = await (await gateway.get('/health?model=plain')).json();
    expect(health).toMatchObject({ healthy_endpoints: [{ model: 'openai/plain' }] });
    expect(JSON.stringify(health)).not.toContain('127.0.0.1');
  });

  it('readiness names the callbacks', async () => {
    const readiness = await (await fetch(`${gateway.url}/health/readiness`)).json();
    expect(readiness).toMatchObject({ db: 'connected', success_callbacks: ['langfuse'] });
  });
});

it('metrics behind a key are for holders of one only', async () => {
  const without = await fetch(`${gateway.url}/metrics`);
  expect(without.status).toBe(401);
  expect(await without.json()).toMatchObject({ error: { type: 'auth_error', code: '401' } });
  const withKey = await gateway.get('/metrics');
  expect(withKey.status).toBe(200);
  expect(await withKey.text()).toContain('litellm_proxy_total_requests_metric');
});

describe('the log', () => {
  it('has one line of JSON for every request, without what was asked or answered', async () => {
    const answer = await chat('plain', 'a question of canaries', { stream: true });
    await answer.text();
    const id = answer.headers.get('x-litellm-call-id')!;
    const lines = () =>
      gateway
        .log()
        .split('\n')
        .filter((line) => line.includes(id));
    await expect.poll(() => lines().length, { timeout: 3_000 }).toBe(1);
    expect(JSON.parse(lines()[0]!)).toMatchObject({
      level: 'info',
      msg: 'request',
      requestId: id,
      keyAlias: expect.any(String),
      model: 'plain',
      status: 'success',
      httpStatus: 200,
      inputTokens: expect.toSatisfy((tokens) => tokens > 0),
      outputTokens: expect.toSatisfy((tokens) => tokens > 0),
      costNanodollars: expect.toSatisfy((cost) => cost > 0),
      durationMs: expect.any(Number),
    });
    expect(gateway.log()).not.toContain('canaries');
  });
});

describe('prompts and answers', () => {
  it.each([false, true])('are kept when the operator says so (stream: %s)', async (stream) => {
    fake.enqueue({ text: 'the answer to remember' });
    const answer = await chat('plain', 'the question to remember', { stream });
    await answer.text();
    const row = await rowOf(answer);
    expect(JSON.stringify(row.messages)).toContain('the question to remember');
    expect(JSON.stringify(row.response)).toMatch(/the answer to remember/);
  });

  it.each([false, true])('are not kept of a request with no-log (stream: %s)', async (stream) => {
    const answer = await chat('plain', 'the question to forget', { stream, 'no-log': true });
    await answer.text();
    expect(answer.status).toBe(200);
    const row = await rowOf(answer);
    expect(row).toMatchObject({ messages: {}, response: {} });
    expect(row.spend).toBeGreaterThan(0);
  });

  it('are not kept otherwise, and old rows go while their sums stay', async () => {
    const key = await gateway.makeKey();
    const other = await startGateway({
      config: configuration(
        closedPort,
        '  maximum_spend_logs_retention_period: 2s\n  maximum_spend_logs_retention_interval: 1s',
      ),
    });
    try {
      expect(key).toMatch(/^sk-/);
      const made = (await (await other.post('/key/generate', { key_alias: 'kept' })).json()) as { key: string };
      const body = { model: 'plain', messages: [{ role: 'user', content: 'unkept' }], max_tokens: 30 };
      const answer = await other.post('/v1/chat/completions', body, made.key);
      await answer.text();
      const id = answer.headers.get('x-litellm-call-id')!;
      const rows = async () => (await (await other.get(`/spend/logs?request_id=${id}`)).json()) as LogRow[];
      await expect.poll(async () => (await rows()).length, { timeout: 2_000, interval: 50 }).toBe(1);
      expect((await rows())[0]).toMatchObject({ messages: {}, response: {} });
      const spend = async () =>
        ((await (await other.get(`/key/info?key=${made.key}`)).json()) as { info: { spend: number } }).info.spend;
      await expect.poll(spend, { timeout: 2_000, interval: 50 }).toBeGreaterThan(0);
      const before = await spend();
      await expect.poll(async () => (await rows()).length, { timeout: 8_000, interval: 200 }).toBe(0);
      expect(await spend()).toBe(before);
      // Quiet unless asked: nothing but what the configuration had to say.
      expect(other.log()).not.toContain('"msg":"request"');
    } finally {
      await other.stop();
    }
  });
});
