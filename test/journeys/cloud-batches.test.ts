import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { awsSignatureHeaders } from '../../src/core/aws-signature.ts';
import { Secret } from '../../src/core/secret.ts';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import type { RecordedRequest } from '../fake-provider/record.ts';
import { ended, results } from './batch-results.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/* Batch jobs of Google and Amazon: files in buckets, answers in any order, the operator's money settled by them. */
let upstream: FakeProvider;
let gateway: GatewayProcess;
let folder: string;

beforeAll(async () => {
  upstream = await startFakeProvider({ batches: true });
  folder = mkdtempSync(join(tmpdir(), 'tollgate-cloud-batches-'));
  const model = (name: string, is: string, more: string) =>
    `  - model_name: ${name}
    litellm_params: { model: ${is}, input_cost_per_token: 0, output_cost_per_token: 0.04, ${more} }`;
  const google = `api_base: "${upstream.url}", api_key: ya29.token, vertex_project: p, vertex_location: us-central1, gcs_bucket_name: b1/jobs, gcs_endpoint_url: "${upstream.url}"`;
  const amazon = `api_base: "${upstream.url}", aws_access_key_id: AKID, aws_secret_access_key: not-a-secret, aws_region_name: us-west-2, s3_bucket_name: s3-b1, s3_endpoint_url: "${upstream.url}", aws_batch_role_arn: "arn:aws:iam::1:role/batch"`;
  const config = `model_list:
${model('gemini', 'gemini/gemini-2.5-flash', `api_base: "${upstream.url}/v1beta", api_key: none`)}
${model('vertex', 'vertex_ai/gemini-2.5-pro', google)}
${model('vertex-claude', 'vertex_ai/claude-sonnet-4-5', google)}
${model('nova', 'bedrock/amazon.nova-pro-v1:0', amazon)}
${model('bedrock-claude', 'bedrock/invoke/anthropic.claude-sonnet-4-5', amazon)}
${model('no-bucket', 'bedrock/amazon.nova-lite-v1:0', amazon.replace('s3_bucket_name: s3-b1, ', ''))}
router_settings: { num_retries: 0 }
general_settings: { proxy_batch_polling_interval: 0.1 }
`;
  gateway = await startGateway({ config, folder, env: { AWS_ENDPOINT_URL_BEDROCK: upstream.url } });
});

beforeEach(() => {
  upstream.setDefault({ usage: { outputTokens: 10 } });
  upstream.cloudBatches.looks = 1;
  Object.assign(upstream.cloudBatches, {
    failure: null,
    tellsProcessed: true,
    uploadsToBreak: 0,
    announcedBytes: null,
    jobsToBreak: 0,
    lostAnswers: 0,
    isSplit: false,
  });
});

afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
  rmSync(folder, { recursive: true, force: true });
});

const client = (key = masterKey) => new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0 });

async function submit(openai: OpenAI, model: string, ids: readonly string[]) {
  const lines = ids.map((id) => {
    const body = { model, max_tokens: 50, messages: [{ role: 'user', content: `Say ${id}` }] };
    return JSON.stringify({ custom_id: id, method: 'POST', url: '/v1/chat/completions', body });
  });
  const file = await openai.files.create({ file: await toFile(Buffer.from(lines.join('\n')), 'in'), purpose: 'batch' });
  return openai.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
}

const over = (openai: OpenAI, id: string) => ended(openai, id, 20_000);

async function keyWith(limits: object): Promise<string> {
  return gateway.makeKey(limits);
}

async function settledAt(key: string, dollars: number): Promise<void> {
  let spend = -1;
  for (let waited = 0; waited < 5_000 && Math.abs(spend - dollars) > 1e-9; waited += 50) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    spend = ((await (await gateway.get(`/key/info?key=${key}`)).json()) as { info: { spend: number } }).info.spend;
  }
  expect(spend).toBeCloseTo(dollars, 9);
}

const sentSince = (count: number) => upstream.requests.slice(count).map(({ method, path }) => `${method} ${path}`);

describe('a batch for Google or Amazon', () => {
  it.each([
    ['gemini', ['POST /upload/v1beta/files', 'POST /v1beta/models/gemini-2.5-flash:batchGenerateContent']],
    ['vertex', ['POST /upload/storage/v1/b/b1/o', 'POST /v1/projects/p/locations/us-central1/batchPredictionJobs']],
    [
      'vertex-claude',
      ['POST /upload/storage/v1/b/b1/o', 'POST /v1/projects/p/locations/us-central1/batchPredictionJobs'],
    ],
    ['nova', ['PUT', 'POST /model-invocation-job']],
    ['bedrock-claude', ['PUT', 'POST /model-invocation-job']],
  ])('goes there whole, comes back in its order, and costs half: %s', async (model, asked) => {
    const key = await keyWith({ max_budget: 10 });
    const openai = client(key);
    const seen = upstream.requests.length;
    const batch = await submit(openai, model, ['a', 'b', 'c']);
    const sent = sentSince(seen);
    for (const [index, one] of asked.entries()) expect(sent[index]).toContain(one);
    const ended = await over(openai, batch.id);
    expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 3, completed: 3, failed: 0 } });
    const told = await results(openai, ended.output_file_id);
    expect(told.map(({ custom_id }: { custom_id: string }) => custom_id)).toEqual(['a', 'b', 'c']);
    for (const { response } of told) {
      expect(response).toMatchObject({ status_code: 200, body: { choices: [{ message: { role: 'assistant' } }] } });
    }
    expect(sentSince(seen).join()).not.toMatch(/generateContent|\/(converse|invoke|rawPredict)/);
    // Three answers of ten tokens at four cents each, half price.
    await settledAt(key, 0.6);
  });

  it('holds its money until it is over, and is paid as far as it was done', async () => {
    const key = await keyWith({ max_budget: 10 });
    const openai = client(key);
    upstream.cloudBatches.looks = 1_000;
    const batch = await submit(openai, 'nova', ['a', 'b', 'c', 'd']);
    await expect(submit(openai, 'vertex', ['e', 'f'])).rejects.toMatchObject({ status: 429 });
    expect((await openai.batches.cancel(batch.id)).status).toBe('cancelling');
    expect(await over(openai, batch.id)).toMatchObject({ status: 'cancelled', request_counts: { completed: 1 } });
    await settledAt(key, 0.2);
  });

  it.each(['gemini', 'vertex', 'nova'])('tells what failed there, at no cost: %s', async (model) => {
    const key = await keyWith({});
    upstream.setDefault({ status: 400, error: { message: 'Not like this' } });
    const ended = await over(client(key), (await submit(client(key), model, ['a'])).id);
    expect(ended).toMatchObject({ status: 'completed', request_counts: { completed: 0, failed: 1 } });
    const [failed] = await results(client(key), ended.error_file_id);
    expect(failed.response).toMatchObject({ status_code: 400 });
    expect(failed.response.body.error.message).toContain('Not like this');
    await settledAt(key, 0);
  });

  it.each(['gemini', 'vertex', 'nova'])('is run here where the provider gives it back: %s', async (model) => {
    upstream.cloudBatches.failure = 'Too few records';
    const seen = upstream.requests.length;
    expect((await over(client(), (await submit(client(), model, ['a'])).id)).status).toBe('completed');
    expect(sentSince(seen).join()).toMatch(/:generateContent|\/converse/);
  });

  it.each(['gemini', 'nova'])('sends its file once more when the first one does not arrive: %s', async (model) => {
    upstream.cloudBatches.uploadsToBreak = 1;
    const seen = upstream.requests.length;
    expect((await over(client(), (await submit(client(), model, ['a'])).id)).status).toBe('completed');
    expect(sentSince(seen).join()).not.toMatch(/:generateContent|\/converse/);
  });

  it.each(['vertex', 'nova'])('is run here where its file does not arrive: nothing was bought: %s', async (model) => {
    upstream.cloudBatches.uploadsToBreak = 2;
    const seen = upstream.requests.length;
    const ended = await over(client(), (await submit(client(), model, ['a'])).id);
    expect(ended).toMatchObject({ status: 'completed', request_counts: { completed: 1, failed: 0 } });
    expect(sentSince(seen).join()).toMatch(/:generateContent|\/converse/);
  });

  it.each([
    ['a job that failed and does not say how far it had come', { failure: 'Broke', tellsProcessed: false }, 'Broke'],
    ['a job that may have been taken', { jobsToBreak: 1 }, 'may have taken it'],
    ['an answer that is too large', { announcedBytes: 256 * 1024 * 1024 + 1 }, 'too large'],
  ])('is not bought a second time, and charged as what it may have cost: %s', async (_, faults, words) => {
    Object.assign(upstream.cloudBatches, faults);
    const key = await keyWith({ max_budget: 10 });
    const seen = upstream.requests.length;
    const ended = await over(client(key), (await submit(client(key), 'nova', ['a', 'b'])).id);
    expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 2, completed: 0, failed: 2 } });
    const failed = await results(client(key), ended.error_file_id);
    for (const { response } of failed) expect(response.body.error.message).toContain(words);
    expect(sentSince(seen).join()).not.toMatch(/\/converse/);
    // Fifty tokens each at four cents: what was held for them.
    await settledAt(key, 4);
  });

  it.each([
    ['gemini', { failure: 'Broke', tellsProcessed: false }, 'Broke; how much of it was done is not told'],
    ['vertex', { failure: 'Broke', tellsProcessed: false }, 'Broke; how much of it was done is not told'],
    ['vertex', { failure: 'Broke', lostAnswers: 2 }, 'of 2 answers 2 are not there'],
  ])(
    'is charged as what it may have cost where Google does not give what it may have done: %s, %o',
    async (...test) => {
      const [model, faults, words] = test;
      Object.assign(upstream.cloudBatches, faults);
      const key = await keyWith({ max_budget: 10 });
      const seen = upstream.requests.length;
      const ended = await over(client(key), (await submit(client(key), model, ['a', 'b'])).id);
      expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 2, completed: 0, failed: 2 } });
      const failed = await results(client(key), ended.error_file_id);
      for (const { response } of failed) expect(response.body.error.message).toContain(words);
      expect(sentSince(seen).join()).not.toContain(':generateContent');
      await settledAt(key, 4);
    },
  );

  it('whose answers lie in many files, told page by page, is taken whole', async () => {
    upstream.cloudBatches.isSplit = true;
    const key = await keyWith({ max_budget: 10 });
    const ended = await over(client(key), (await submit(client(key), 'vertex', ['a', 'b', 'c', 'd'])).id);
    expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 4, completed: 4 } });
    await settledAt(key, 0.8);
  });

  it('is charged for the answers alone that are counted and missing', async () => {
    Object.assign(upstream.cloudBatches, { failure: 'Broke', lostAnswers: 1 });
    const key = await keyWith({ max_budget: 10 });
    const ended = await over(client(key), (await submit(client(key), 'vertex', ['a', 'b', 'c'])).id);
    expect(ended).toMatchObject({ request_counts: { total: 3, completed: 0, failed: 1 } });
    await settledAt(key, 2);
  });

  it('is run here where no bucket is named', async () => {
    const seen = upstream.requests.length;
    expect((await over(client(), (await submit(client(), 'no-bucket', ['a'])).id)).status).toBe('completed');
    expect(sentSince(seen).join()).not.toContain('model-invocation-job');
  });

  it('says everything that a job of Amazon’s needs, signed as it was sent', async () => {
    const seen = upstream.requests.length;
    await over(client(), (await submit(client(), 'bedrock-claude', ['a'])).id);
    const asked = upstream.requests.slice(seen).filter(({ path }) => !path.endsWith('/converse'));
    const [file, job] = asked as [RecordedRequest, RecordedRequest];
    expect(file.path).toMatch(/^\/s3-b1\/tollgate-batches\/tollgate-batch-\w+\.jsonl$/);
    expect(JSON.parse(file.body.toString())).toMatchObject({
      recordId: 'r0000000000',
      modelInput: { anthropic_version: 'bedrock-2023-05-31', max_tokens: 50 },
    });
    expect(job.json).toMatchObject({
      jobName: /\/(tollgate-batch-\w+)\.jsonl$/.exec(file.path)![1],
      roleArn: 'arn:aws:iam::1:role/batch',
      modelId: 'anthropic.claude-sonnet-4-5',
      modelInvocationType: 'InvokeModel',
      inputDataConfig: { s3InputDataConfig: { s3InputFormat: 'JSONL', s3Uri: `s3:/${file.path}` } },
      outputDataConfig: { s3OutputDataConfig: { s3Uri: 's3://s3-b1/tollgate-batches/' } },
    });
    for (const one of asked) expect(one.headers.authorization).toBe(signatureOf(one));
  });
});

/** Over what arrived, the type of the body included where there is one. */
function signatureOf({ method, path, headers, body }: RecordedRequest): string {
  const date = headers['x-amz-date'] as string;
  const at = Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'));
  const type = headers['content-type'];
  const request = {
    method,
    host: headers.host!,
    path,
    headers: type === undefined ? [] : ['content-type', type],
    body,
  };
  const identity = { accessKeyId: 'AKID', secretAccessKey: new Secret('not-a-secret'), sessionToken: null };
  const service = path.startsWith('/s3-') ? 's3' : 'bedrock';
  return awsSignatureHeaders(request, { region: 'us-west-2', service, at }, identity).at(-1)!;
}
