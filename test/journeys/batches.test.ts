import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/* Files and batches through the official client: set aside at submit, settled by what was used, picked up after a kill. */
let upstream: FakeProvider;
let gateway: GatewayProcess;
let config: string;
let folder: string;

beforeAll(async () => {
  upstream = await startFakeProvider();
  folder = mkdtempSync(join(tmpdir(), 'tollgate-batches-'));
  config = `
model_list:
  - model_name: dear
    litellm_params: { model: openai/dear, api_base: "${upstream.url}/v1", api_key: none, input_cost_per_token: 0, output_cost_per_token: 0.05 }
router_settings: { num_retries: 0 }
`;
  gateway = await startGateway({ config, folder });
});

beforeEach(() => upstream.setForModel('dear', {}));

afterAll(async () => {
  await gateway?.stop();
  await upstream?.close();
  rmSync(folder, { recursive: true, force: true });
});

const client = (key = masterKey) => new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: key, maxRetries: 0 });

function line(id: string, changes: object = {}) {
  const body = { model: 'dear', max_tokens: 50, messages: [{ role: 'user', content: `Say ${id}` }], ...changes };
  return { custom_id: id, method: 'POST', url: '/v1/chat/completions', body };
}

async function submit(openai: OpenAI, lines: readonly object[]) {
  const text = lines.map((one) => JSON.stringify(one)).join('\n');
  const file = await openai.files.create({ file: await toFile(Buffer.from(text), 'in.jsonl'), purpose: 'batch' });
  return openai.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' });
}

async function over(openai: OpenAI, id: string) {
  for (let waited = 0; waited < 30_000; waited += 50) {
    const batch = await openai.batches.retrieve(id);
    if (!['in_progress', 'finalizing', 'cancelling'].includes(batch.status)) return batch;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the batch did not end');
}

interface Result {
  custom_id: string;
  response: { status_code: number; body: { choices: { message: { content: string } }[]; error?: { message: string } } };
}

async function results(openai: OpenAI, fileId: string | null | undefined): Promise<Result[]> {
  const text = await (await openai.files.content(fileId!)).text();
  return text
    .trimEnd()
    .split('\n')
    .map((one) => JSON.parse(one) as Result);
}

async function keyWith(limits: object): Promise<string> {
  const made = await gateway.post('/key/generate', limits);
  return ((await made.json()) as { key: string }).key;
}

describe('a batch', () => {
  it('is run, its results and its failures kept apart', async () => {
    const openai = client();
    const bad = line('bad', { messages: 'none' });
    const batch = await submit(openai, [line('a'), line('b')]);
    expect(batch).toMatchObject({ object: 'batch', status: 'in_progress', request_counts: { total: 2 } });
    const ended = await over(openai, batch.id);
    expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 2, completed: 2, failed: 0 } });
    expect(ended.error_file_id).toBeNull();
    const told = await results(openai, ended.output_file_id);
    expect(told.map(({ custom_id }) => custom_id)).toEqual(['a', 'b']);
    expect(told[0]!.response).toMatchObject({ status_code: 200, body: { model: 'dear' } });
    await expect(submit(openai, [line('a'), bad])).rejects.toThrow('request 2: messages');

    upstream.setForModel('dear', { status: 400, error: { message: 'Not like this' } });
    const failed = await over(openai, (await submit(openai, [line('c')])).id);
    upstream.setForModel('dear', {});
    expect(failed).toMatchObject({ status: 'completed', request_counts: { completed: 0, failed: 1 } });
    const [error] = await results(openai, failed.error_file_id);
    expect(error!.response).toMatchObject({ status_code: 400 });
    expect(error!.response.body.error!.message).toContain('Not like this');
    const listed: string[] = [];
    for await (const one of openai.batches.list()) listed.push(one.id);
    expect(listed).toContain(batch.id);
  });

  it('that the budget cannot pay is refused as a whole; what is set aside is nobody else’s', async () => {
    const openai = client(await keyWith({ max_budget: 10 }));
    await expect(
      submit(
        openai,
        [1, 2, 3, 4, 5].map((one) => line(`${one}`)),
      ),
    ).rejects.toMatchObject({ status: 429 });
    upstream.setForModel('dear', { delayBeforeHeadersMs: 1_500, usage: { outputTokens: 10 } });
    const batch = await submit(
      openai,
      [1, 2, 3, 4].map((one) => line(`${one}`)),
    );
    const chat = () =>
      openai.chat.completions.create({ ...line('x').body, messages: [{ role: 'user', content: 'Hi' }] });
    await expect(chat()).rejects.toMatchObject({ status: 429 });
    const ended = await over(openai, batch.id);
    expect(ended.request_counts).toMatchObject({ completed: 4, failed: 0 });
    // 4 × 10 tokens at 5 cents each: 8 dollars are left.
    expect((await chat()).model).toBe('dear');
  });

  it('and its files belong to whoever brought them', async () => {
    const [mine, yours] = [client(await keyWith({})), client(await keyWith({}))];
    const batch = await over(mine, (await submit(mine, [line('a')])).id);
    await expect(yours.batches.retrieve(batch.id)).rejects.toMatchObject({ status: 404 });
    await expect(yours.batches.cancel(batch.id)).rejects.toMatchObject({ status: 404 });
    for (const id of [batch.input_file_id, batch.output_file_id!]) {
      await expect(yours.files.retrieve(id)).rejects.toMatchObject({ status: 404 });
      await expect(yours.files.content(id)).rejects.toMatchObject({ status: 404 });
      await expect(yours.files.delete(id)).rejects.toMatchObject({ status: 404 });
    }
    await expect(
      yours.batches.create({
        input_file_id: batch.input_file_id,
        endpoint: '/v1/chat/completions',
        completion_window: '24h',
      }),
    ).rejects.toMatchObject({ status: 404 });
    expect((await mine.files.list()).data.map(({ id }) => id)).toContain(batch.input_file_id);
    expect((await yours.files.list()).data).toEqual([]);
    expect(await mine.files.delete(batch.input_file_id)).toMatchObject({ deleted: true });
    await expect(mine.files.retrieve(batch.input_file_id)).rejects.toMatchObject({ status: 404 });
  });

  it('can be cancelled: nothing more of it is sent', async () => {
    upstream.setForModel('dear', { delayBeforeHeadersMs: 300 });
    const openai = client();
    const batch = await submit(
      openai,
      Array.from({ length: 100 }, (_, index) => line(`${index}`)),
    );
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await openai.batches.cancel(batch.id)).status).toBe('cancelling');
    const ended = await over(openai, batch.id);
    expect(ended.status).toBe('cancelled');
    expect(ended.request_counts!.completed).toBeLessThan(100);
    expect(await results(openai, ended.output_file_id)).toHaveLength(ended.request_counts!.completed);
  });

  it('is taken up again after the gateway was killed, and gives every answer once', async () => {
    upstream.setForModel('dear', { delayBeforeHeadersMs: 100 });
    const ids = Array.from({ length: 60 }, (_, index) => `n${index}`);
    const batch = await submit(
      client(),
      ids.map((id) => line(id)),
    );
    await new Promise((resolve) => setTimeout(resolve, 400));
    await gateway.kill();
    upstream.setForModel('dear', {});
    gateway = await startGateway({ config, folder });
    const openai = client();
    const ended = await over(openai, batch.id);
    expect(ended).toMatchObject({ status: 'completed', request_counts: { total: 60, completed: 60, failed: 0 } });
    expect((await results(openai, ended.output_file_id)).map(({ custom_id }) => custom_id)).toEqual(ids);
  }, 90_000);
});

describe('bad input is a clear 4xx', () => {
  it.each([
    ['{"custom_id":"a"', 'line 1: not valid JSON'],
    ['{"custom_id":"","body":{}}', 'line 1: custom_id: expected a text'],
    ['{"custom_id":"a","body":{}}\n{"custom_id":"a","body":{}}', 'line 2: custom_id: "a" stands in an earlier line'],
    ['{"custom_id":"a","url":"/v1/embeddings","body":{}}', "line 1: url: expected the batch's endpoint"],
    ['{"custom_id":"a","body":{"stream":true}}', 'line 1: body.stream: a batch has no streams'],
    ['{"custom_id":"a","body":{"model":"nobody","messages":[]}}', 'request 1: '],
    ['\n\n', 'the file holds no request'],
  ])('%s', async (text, message) => {
    const openai = client();
    const file = await openai.files.create({ file: await toFile(Buffer.from(text), 'in.jsonl'), purpose: 'batch' });
    const asked = { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const;
    await expect(openai.batches.create(asked)).rejects.toThrow(message);
  });

  it.each([
    [{ endpoint: '/v1/chat/completions', completion_window: '24h' }, 400, 'input_file_id: required'],
    [
      { input_file_id: 'file-x', endpoint: '/v1/audio/speech', completion_window: '24h' },
      400,
      'cannot be asked in a batch',
    ],
    [{ input_file_id: 'file-x', endpoint: '/v1/embeddings', completion_window: '1h' }, 400, 'completion_window'],
    [{ input_file_id: 'file-x', endpoint: '/v1/embeddings', completion_window: '24h' }, 404, 'No such File object'],
  ])('%j', async (body, status, message) => {
    const answer = await gateway.post('/v1/batches', body);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(message);
  });

  it('a file without a file, or without a purpose', async () => {
    const send = (form: FormData) =>
      fetch(`${gateway.url}/v1/files`, {
        method: 'POST',
        body: form,
        headers: { authorization: `Bearer ${masterKey}` },
      });
    const noFile = new FormData();
    noFile.append('purpose', 'batch');
    expect(await (await send(noFile)).text()).toContain('file: expected a file');
    const noPurpose = new FormData();
    noPurpose.append('file', new Blob(['x']), 'x');
    expect(await (await send(noPurpose)).text()).toContain('purpose: required');
    expect((await gateway.post('/v1/files', {})).status).toBe(415);
  });
});
