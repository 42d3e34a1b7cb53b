import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { ended, results } from './batch-results.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/* Batches that the provider runs itself: money set aside at submit, settled by the answers, at the provider's batch price. */
let upstream: FakeProvider;
let gateway: GatewayProcess;
let config: string;
let folder: string;

beforeAll(async () => {
  upstream = await startFakeProvider({ batches: true });
  folder = mkdtempSync(join(tmpdir(), 'tollgate-provider-batches-'));
  const model = (name: string, provider: string) =>
    `  - model_name: ${name}
    litellm_params: { model: ${provider}/${name}, api_base: "${upstream.url}/v1", api_key: none, input_cost_per_token: 0, output_cost_per_token: 0.04 }`;
  config = `model_list:
${model('gpt', 'openai')}
${model('claude', 'anthropic')}
${model('mixtral', 'mistral')}
${model('other', 'hosted_vllm')}
router_settings: { num_retries: 0 }
general_settings: { proxy_batch_polling_interval: 0.1 }
`;
  gateway = await startGateway({ config, folder });
});

beforeEach(() => {
  for (const model of ['gpt', 'claude', 'mixtral', 'other']) {
    upstream.setForModel(model, { usage: { outputTokens: 10 } });
  }
  upstream.batches.looks = 1;
  upstream.batches.failure = null;
  upstream.batches.tellsCompleted = true;
  upstream.batches.resultFaults = {};
  upstream.batches.losesResults = false;
});

afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
  rmSync(folder, { recursive: true, force: true });
});

const client = (key = masterKey) => new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0 });

function line(id: string, model: string, changes: object = {}) {
  const body = { model, max_tokens: 50, messages: [{ role: 'user', content: `Say ${id}` }], ...changes };
  return { custom_id: id, method: 'POST', url: '/v1/chat/completions', body };
}

async function submit(openai: OpenAI, lines: readonly object[]) {
  const text = lines.map((one) => JSON.stringify(one)).join('\n');
  const file = await openai.files.create({ file: await toFile(Buffer.from(text), 'in.jsonl'), purpose: 'batch' });
  return openai.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
}

const over = (openai: OpenAI, id: string) => ended(openai, id, 30_000);

async function keyWith(limits: object): Promise<string> {
  return gateway.makeKey(limits);
}

async function spendOf(key: string): Promise<number> {
  const answer = await gateway.get(`/key/info?key=${key}`);
  return ((await answer.json()) as { info: { spend: number } }).info.spend;
}

async function settledAt(key: string, dollars: number): Promise<void> {
  for (let waited = 0; waited < 5_000; waited += 50) {
    if (Math.abs((await spendOf(key)) - dollars) < 1e-9) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect(await spendOf(key)).toBeCloseTo(dollars, 9);
}

const paths = () => upstream.requests.map(({ method, path }) => `${method} ${path}`);

describe('a batch for a provider with a batch API', () => {
  it.each([
    ['gpt', ['POST /v1/files', 'POST /v1/batches']],
    ['mixtral', ['POST /v1/files', 'POST /v1/batch/jobs']],
    ['claude', ['POST /v1/messages/batches']],
  ])('goes there whole, and costs half: %s', async (model, asked) => {
    const key = await keyWith({ max_budget: 10 });
    const openai = client(key);
    const seen = upstream.requests.length;
    const batch = await submit(openai, [line('a', model), line('b', model)]);
    expect(paths().slice(seen, seen + asked.length)).toEqual(asked);
    const ended = await over(openai, batch.id);
    expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 2, completed: 2, failed: 0 } });
    const told = await results(openai, ended.output_file_id);
    expect(told.map(({ custom_id }: { custom_id: string }) => custom_id)).toEqual(['a', 'b']);
    expect(told[0].response).toMatchObject({
      status_code: 200,
      body: { object: 'chat.completion', model, choices: [{ message: { role: 'assistant' } }] },
    });
    expect(paths().slice(seen)).not.toContain('POST /v1/chat/completions');
    // Two answers of ten tokens at four cents each, half price.
    await settledAt(key, 0.4);
  });

  it('is Anthropic’s from end to end, headers too', async () => {
    const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: masterKey, maxRetries: 0 });
    const params = { model: 'claude', max_tokens: 50, messages: [{ role: 'user' as const, content: 'Hi' }] };
    const seen = upstream.requests.length;
    const batch = await anthropic.messages.batches.create(
      { requests: [{ custom_id: 'a', params }] },
      { headers: { 'anthropic-beta': 'output-300k-2026-03-24' } },
    );
    const sent = upstream.requests[seen]!;
    expect(sent.path).toBe('/v1/messages/batches');
    expect(sent.headers['anthropic-beta']).toBe('output-300k-2026-03-24');
    expect(sent.json).toEqual({ requests: [{ custom_id: 'r0', params }] });
    for (let waited = 0; waited < 10_000; waited += 50) {
      if ((await anthropic.messages.batches.retrieve(batch.id)).processing_status === 'ended') break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    for await (const one of await anthropic.messages.batches.results(batch.id)) {
      expect(one).toMatchObject({ custom_id: 'a', result: { type: 'succeeded', message: { model: 'claude' } } });
    }
  });

  it('holds its money until it is over', async () => {
    const key = await keyWith({ max_budget: 10 });
    const openai = client(key);
    upstream.batches.looks = 2;
    const batch = await submit(
      openai,
      ['a', 'b', 'c', 'd'].map((id) => line(id, 'gpt')),
    );
    await expect(submit(openai, [line('e', 'gpt'), line('f', 'gpt')])).rejects.toMatchObject({ status: 429 });
    await over(openai, batch.id);
    await settledAt(key, 0.8);
    expect((await submit(openai, [line('e', 'gpt'), line('f', 'gpt')])).status).toBe('in_progress');
  });

  it('tells what failed there, at no cost', async () => {
    const key = await keyWith({});
    const openai = client(key);
    upstream.setForModel('gpt', { status: 400, error: { message: 'Not like this' } });
    const ended = await over(openai, (await submit(openai, [line('a', 'gpt')])).id);
    expect(ended).toMatchObject({ status: 'completed', request_counts: { completed: 0, failed: 1 } });
    const [failed] = await results(openai, ended.error_file_id);
    expect(failed.response).toMatchObject({ status_code: 400 });
    expect(failed.response.body.error.message).toContain('Not like this');
    expect(await spendOf(key)).toBe(0);
  });

  it('is cancelled there, and what was done is paid', async () => {
    const key = await keyWith({});
    const openai = client(key);
    upstream.batches.looks = 1_000;
    const batch = await submit(openai, [line('a', 'gpt'), line('b', 'gpt')]);
    expect((await openai.batches.cancel(batch.id)).status).toBe('cancelling');
    const ended = await over(openai, batch.id);
    expect(ended).toMatchObject({ status: 'cancelled', request_counts: { total: 2, completed: 1 } });
    await settledAt(key, 0.2);
  });

  it('is run here where the provider gives it back, or does not have all of it', async () => {
    const openai = client();
    upstream.batches.failure = 'This model has no batch quota';
    const seen = upstream.requests.length;
    expect((await over(openai, (await submit(openai, [line('a', 'gpt')])).id)).status).toBe('completed');
    expect(paths().slice(seen)).toContain('POST /v1/chat/completions');
    const mixed = upstream.requests.length;
    await over(openai, (await submit(openai, [line('a', 'gpt'), line('b', 'mixtral')])).id);
    await over(openai, (await submit(openai, [line('a', 'other')])).id);
    const sent = paths().slice(mixed);
    // An earlier test's batch may still be asked for.
    expect(sent.filter((one) => one.startsWith('POST'))).toEqual(Array(3).fill('POST /v1/chat/completions'));
  });

  it('is charged as what it may have cost where Mistral does not say how much of it was done', async () => {
    const key = await keyWith({ max_budget: 10 });
    const openai = client(key);
    upstream.batches.failure = 'Broke';
    upstream.batches.tellsCompleted = false;
    const seen = upstream.requests.length;
    const ended = await over(openai, (await submit(openai, [line('a', 'mixtral'), line('b', 'mixtral')])).id);
    const failed = await results(openai, ended.error_file_id);
    expect(failed).toHaveLength(2);
    for (const { response } of failed) expect(response.body.error.message).toContain('Broke; how much of it');
    expect(paths().slice(seen)).not.toContain('POST /v1/chat/completions');
    await settledAt(key, 4);
    upstream.batches.tellsCompleted = true;
    const again = paths().length;
    await over(openai, (await submit(openai, [line('c', 'mixtral')])).id);
    expect(paths().slice(again)).toContain('POST /v1/chat/completions');
  });

  it.each([
    ['its deployment', (name: string) => name.replace('mistral/mixtral', 'hosted_vllm/elsewhere')],
    [
      'its model',
      (name: string) =>
        name.replace('model_name: mixtral', 'model_name: renamed').replace('mistral/mixtral', 'hosted_vllm/elsewhere'),
    ],
  ])(
    'is charged as what it may have cost where %s is not configured any more',
    async (_, changed) => {
      const key = await keyWith({ max_budget: 10 });
      upstream.batches.looks = 1_000;
      const batch = await submit(client(key), [line('a', 'mixtral'), line('b', 'mixtral')]);
      await gateway.stop();
      gateway = await startGateway({ config: changed(config), folder });
      const seen = upstream.requests.length;
      const ended = await over(client(key), batch.id);
      expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 2, completed: 0, failed: 2 } });
      for (const { response } of await results(client(key), ended.error_file_id)) {
        expect(response.body.error.message).toContain('is not configured any more');
        expect(response.body.error.message).toContain('what it may have cost is charged');
      }
      expect(paths().slice(seen)).toEqual([]);
      await settledAt(key, 4);
      await gateway.stop();
      gateway = await startGateway({ config, folder });
    },
    60_000,
  );

  it('is fetched by the like of its deployment, whose price is another one meanwhile', async () => {
    const key = await keyWith({ max_budget: 10 });
    upstream.batches.looks = 2;
    const batch = await submit(client(key), [line('a', 'mixtral'), line('b', 'mixtral')]);
    await gateway.stop();
    const dearer = config.replace(/(mistral\/mixtral.*)0\.04/, '$10.06');
    expect(dearer).not.toBe(config);
    gateway = await startGateway({ config: dearer, folder });
    const ended = await over(client(key), batch.id);
    expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 2, completed: 2 } });
    await settledAt(key, 0.6);
    await gateway.stop();
    gateway = await startGateway({ config, folder });
  }, 60_000);

  it('is charged as what it may have cost where the file of its requests is gone', async () => {
    const key = await keyWith({ max_budget: 10 });
    upstream.batches.looks = 1_000;
    const batch = await submit(client(key), [line('a', 'mixtral'), line('b', 'mixtral')]);
    await client(key).files.delete(batch.input_file_id);
    await gateway.stop();
    gateway = await startGateway({ config, folder });
    const ended = await over(client(key), batch.id);
    expect(ended.status).toBe('failed');
    expect(ended.errors?.data?.[0]?.message).toContain('what it may have cost is charged');
    await settledAt(key, 4);
  }, 60_000);

  it.each(['gpt', 'mixtral'])(
    'is charged exactly for every answer that is there, and the bound of the one that is not: %s',
    async (model) => {
      // The third is left out, the first told twice and as an answer to a request that was never made.
      upstream.batches.resultFaults = { withheld: 'r2', twice: 'r0', foreign: 'r7' };
      const key = await keyWith({ max_budget: 20 });
      const lines = ['a', 'b', 'c', 'd'].map((id, index) => line(id, model, { max_tokens: 50 - index }));
      const ended = await over(client(key), (await submit(client(key), lines)).id);
      expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 4, completed: 3, failed: 1 } });
      const [lost] = await results(client(key), ended.error_file_id);
      expect(lost).toMatchObject({ custom_id: 'c' });
      expect(lost.response.body.error.message).toContain('of 4 answers 1 are not there');
      // Three answers of ten tokens at half of four cents; 48 tokens at four cents.
      await settledAt(key, 3 * 0.2 + 48 * 0.04);
      const rows = (await (await gateway.get(`/spend/logs?api_key=${key}`)).json()) as { metadata: object }[];
      expect(rows.filter((row) => JSON.stringify(row).includes('"estimated":true'))).toHaveLength(1);
    },
  );

  it('is found again after the gateway was killed, and paid once', async () => {
    const key = await keyWith({ max_budget: 10 });
    upstream.batches.looks = 2;
    const batch = await submit(client(key), [line('a', 'gpt'), line('b', 'gpt')]);
    await gateway.kill();
    gateway = await startGateway({ config, folder });
    const openai = client(key);
    const seen = upstream.requests.length;
    const ended = await over(openai, batch.id);
    expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 2, completed: 2 } });
    expect(paths().slice(seen)).not.toContain('POST /v1/batches');
    await settledAt(key, 0.4);
  }, 60_000);
});
