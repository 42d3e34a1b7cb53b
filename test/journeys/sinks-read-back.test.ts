import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Collector, startCollector } from '../collector/collector.ts';
import { type FakeProvider, serverError, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, startGateway } from './support/gateway-process.ts';

/* What a file of JSON lines and an object store were given, read back field by field: the same in both, and true. */

let upstream: FakeProvider;
let store: Collector;
let gateway: GatewayProcess;
let folder: string;
let key: string;
let keyHash: string;

/** Asked before anything is read, as objects are written every few seconds. */
const answers: Record<string, { readonly status: number; readonly text: string }> = {};

type Payload = Record<string, unknown> & { id: string; startTime: number; endTime: number };

beforeAll(async () => {
  [upstream, store] = await Promise.all([startFakeProvider(), startCollector()]);
  folder = mkdtempSync(join(tmpdir(), 'tollgate-read-back-'));
  gateway = await startGateway({
    config: `
model_list:
  - model_name: m
    litellm_params: { model: openai/m-1, api_base: "${upstream.url}/v1", api_key: sk-upstream-canary, input_cost_per_token: 0.001, output_cost_per_token: 0.01, cache_read_input_token_cost: 0.0005 }
    model_info: { id: dep-1 }
router_settings: { num_retries: 0 }
litellm_settings:
  callbacks: [jsonl, s3]
  cache: true
  s3_callback_params: { s3_bucket_name: logs, s3_region_name: eu-central-1, s3_endpoint_url: "${store.url}", s3_path: requests, s3_aws_access_key_id: AKID, s3_aws_secret_access_key: secret }
callback_settings: { jsonl: { path: "${join(folder, 'requests.jsonl')}" } }
`,
  });
  await gateway.post('/team/new', { team_id: 'red', team_alias: 'Red' });
  const made = await gateway.post('/key/generate', { team_id: 'red', user_id: 'ann', key_alias: 'reds-key' });
  const { key: plain, token } = (await made.json()) as { key: string; token: string };
  [key, keyHash] = [plain, token];

  upstream.setDefault({
    text: 'Four.',
    usage: { inputTokens: 100, cachedTokens: 40, outputTokens: 30, reasoningTokens: 10 },
  });
  answers.answer = await ask('answer');
  answers.cached = await ask('cached');
  upstream.setDefault({
    text: 'Five, I think.',
    delayBetweenEventsMs: 20,
    usage: { inputTokens: 10, outputTokens: 5 },
  });
  answers.stream = await ask('stream', { stream: true, messages: [{ role: 'user', content: 'And 2 + 3?' }] });
  upstream.setDefault(serverError(503));
  answers.failure = await ask('failure', { cache: { 'no-cache': true } });
});
afterAll(async () => {
  await gateway?.stop();
  await Promise.all([upstream?.close(), store?.close()]);
  rmSync(folder, { recursive: true, force: true });
});

const inFile = () => linesOf(readFileSync(join(folder, 'requests.jsonl'), 'utf8'));
const inStore = () => store.calls.flatMap(({ body }) => linesOf(body.toString()));
const linesOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Payload);

/** The line of the request, from the file, once the object store has the same one. */
async function told(callId: string): Promise<Payload> {
  for (let waited = 0; waited < 10_000; waited += 50) {
    const stored = inStore().filter(({ id }) => id.startsWith(callId));
    if (stored.length > 0) {
      const written = inFile().filter(({ id }) => id.startsWith(callId));
      expect(written).toEqual(stored);
      expect(written).toHaveLength(1);
      return written[0]!;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${callId} did not come to the object store`);
}

const question = { model: 'm', messages: [{ role: 'user', content: 'What is 2 + 2?' }], temperature: 0.5 };
async function ask(callId: string, more: object = {}) {
  const headers = {
    'x-litellm-call-id': callId,
    'x-litellm-tags': 'blue,green',
    'x-litellm-customer-id': 'customer-7',
    'x-litellm-session-id': 'session-1',
    'x-litellm-trace-id': 'trace-1',
    'x-litellm-spend-logs-metadata': '{"project":"apollo"}',
  };
  const answer = await gateway.post(
    '/v1/chat/completions',
    { ...question, metadata: { ticket: 'T-1' }, ...more },
    key,
    headers,
  );
  return { status: answer.status, text: await answer.text() };
}

it('an answer: who, what, when, by which way, how many tokens of which class, at what cost, and the words', async () => {
  const { text } = answers.answer!;
  const line = await told('answer');
  // 100 × 0.001 + 40 × 0.0005, and 30 × 0.01.
  const cost = 0.42;
  const { startTime, endTime } = line;
  expect(Math.abs(startTime - Date.now() / 1_000)).toBeLessThan(60);
  expect(endTime).toBeGreaterThanOrEqual(startTime);
  const ours = line.tollgate as Record<string, number>;
  expect(line).toEqual({
    id: expect.stringMatching(/^answer\./),
    trace_id: 'trace-1',
    session_id: 'session-1',
    call_type: 'acompletion',
    cache_hit: false,
    cache_key: expect.any(String),
    saved_cache_cost: 0,
    stream: false,
    status: 'success',
    status_fields: { llm_api_status: 'success', guardrail_status: 'not_run' },
    response_cost: cost,
    cost_breakdown: {
      input_cost: 0.12,
      output_cost: 0.3,
      tool_usage_cost: 0,
      original_cost: cost,
      discount_amount: 0,
      margin_total_amount: 0,
      total_cost: cost,
    },
    total_tokens: 170,
    prompt_tokens: 140,
    completion_tokens: 30,
    startTime,
    endTime,
    completionStartTime: expect.any(Number),
    response_time: expect.closeTo(endTime - startTime, 3),
    model: 'm-1',
    model_id: 'dep-1',
    model_group: 'm',
    custom_llm_provider: 'openai',
    api_base: `${upstream.url}/v1`,
    request_tags: ['blue', 'green'],
    end_user: 'customer-7',
    requester_ip_address: '127.0.0.1',
    metadata: {
      user_api_key_hash: keyHash,
      user_api_key_alias: 'reds-key',
      user_api_key_user_id: 'ann',
      user_api_key_user_email: null,
      user_api_key_team_id: 'red',
      user_api_key_team_alias: 'Red',
      user_api_key_org_id: null,
      user_api_key_end_user_id: 'customer-7',
      requester_ip_address: '127.0.0.1',
      spend_logs_metadata: { project: 'apollo' },
      requester_metadata: { ticket: 'T-1' },
      usage_object: {
        prompt_tokens: 140,
        completion_tokens: 30,
        total_tokens: 170,
        prompt_tokens_details: { cached_tokens: 40, cache_creation_tokens: 0, audio_tokens: 0, image_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 10, audio_tokens: 0 },
      },
    },
    model_parameters: { temperature: 0.5 },
    messages: question.messages,
    response: JSON.parse(text),
    error_str: null,
    error_information: null,
    hidden_params: {
      model_id: 'dep-1',
      cache_key: line.cache_key,
      api_base: `${upstream.url}/v1`,
      response_cost: cost,
      additional_headers: null,
      litellm_model_name: 'm-1',
      litellm_overhead_time_ms: expect.any(Number),
    },
    guardrail_information: [],
    tollgate: {
      http_status: 200,
      status: 'success',
      cost_nanodollars: Math.round(cost * 1e9),
      attempts: [
        {
          deploymentId: 'dep-1',
          group: 'm',
          provider: 'openai',
          model: 'm-1',
          startedAt: expect.any(Number),
          durationMs: expect.any(Number),
          status: 200,
          result: 'success',
          ambiguous: false,
          charged: 0,
        },
      ],
      duration_ms: expect.any(Number),
      gateway_ms: expect.any(Number),
      provider_ms: expect.any(Number),
      finish_reason: 'stop',
    },
  });
  expect(ours.gateway_ms! + ours.provider_ms!).toBeLessThanOrEqual(ours.duration_ms! + 1);
});

it('the same again from the cache costs nothing and says so', async () => {
  const { text } = answers.cached!;
  const line = await told('cached');
  expect(line).toMatchObject({ cache_hit: true, response_cost: 0, status: 'success', messages: question.messages });
  expect(line.response).toEqual(JSON.parse(text));
  expect(line.tollgate).toMatchObject({ attempts: [], cost_nanodollars: 0 });
});

it('a stream is told as one answer, with the time of its first content', async () => {
  const line = (await told('stream')) as Payload & { completionStartTime: number };
  expect(line).toMatchObject({
    stream: true,
    response_cost: 0.06,
    model_parameters: { temperature: 0.5, stream: true },
    response: { choices: [{ message: { content: 'Five, I think.' }, finish_reason: 'stop' }] },
  });
  expect(line.completionStartTime).toBeGreaterThan(line.startTime);
  expect(line.completionStartTime).toBeLessThan(line.endTime);
});

it('a failure says what, whose and how often it was tried', async () => {
  expect(answers.failure!.status).toBe(503);
  const line = await told('failure');
  expect(line).toMatchObject({
    status: 'failure',
    status_fields: { llm_api_status: 'failure', guardrail_status: 'not_run' },
    response_cost: 0,
    response: null,
    error_information: { error_code: '503', error_class: expect.any(String), llm_provider: 'openai', traceback: null },
    tollgate: { http_status: 503, status: 'failure', attempts: [{ status: 503, deploymentId: 'dep-1' }] },
  });
  expect(line.error_str).toBe((line.error_information as { error_message: string }).error_message);
  expect(line.error_str).toContain('The server had an error');
});

it('nowhere is a credential, and every object lies where it belongs, signed', async () => {
  expect(JSON.stringify(inFile())).not.toMatch(/sk-upstream-canary|"sk-/);
  expect(JSON.stringify(inFile())).not.toContain(key);
  for (const { path, headers } of store.calls) {
    expect(path).toMatch(/^\/logs\/requests\/\d{4}-\d\d-\d\d\/\d\d-\d\d-\d\d-[\w-]+-\d{6}\.jsonl$/);
    expect(headers).toMatchObject({
      'content-type': 'application/x-ndjson',
      authorization: expect.stringContaining('Credential=AKID/'),
    });
  }
});
