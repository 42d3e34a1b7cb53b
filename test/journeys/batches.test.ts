import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { ended, results as linesOf } from './batch-results.ts';
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

const over = (openai: OpenAI, id: string) => ended(openai, id, 30_000);

interface Result {
  custom_id: string;
  response: { status_code: number; body: { choices: { message: { content: string } }[]; error?: { message: string } } };
}

const results: (openai: OpenAI, fileId: string | null | undefined) => Promise<Result[]> = linesOf;

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

  it('is begun once for an Idempotency-Key, in both formats', async () => {
    const openai = client(await keyWith({ max_budget: 100 }));
    const text = JSON.stringify(line('once'));
    const file = await openai.files.create({ file: await toFile(Buffer.from(text), 'in.jsonl'), purpose: 'batch' });
    const asked = { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const;
    const options = { headers: { 'idempotency-key': 'batch-1' } };
    const before = upstream.invoice.length;
    const [first, second] = [await openai.batches.create(asked, options), await openai.batches.create(asked, options)];
    expect(second.id).toBe(first.id);
    await over(openai, first.id);
    expect(upstream.invoice.length).toBe(before + 1);
    const other = { ...asked, metadata: { a: 'b' } };
    await expect(openai.batches.create(other, options)).rejects.toMatchObject({ status: 422 });
    // What was refused frees its key.
    const wrong = { ...asked, input_file_id: 'file-none' };
    const again = { headers: { 'idempotency-key': 'batch-2' } };
    await expect(openai.batches.create(wrong, again)).rejects.toMatchObject({ status: 404 });
    expect((await openai.batches.create(asked, again)).id).not.toBe(first.id);

    const params = { model: 'dear', max_tokens: 5, messages: [{ role: 'user', content: 'Hello' }] };
    const message = () =>
      gateway.post('/v1/messages/batches', { requests: [{ custom_id: 'a', params }] }, masterKey, {
        'idempotency-key': 'batch-3',
      });
    const ids = [await message(), await message()].map(async (answer) => ((await answer.json()) as { id: string }).id);
    expect(await ids[1]).toBe(await ids[0]);
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

describe("a batch in Anthropic's format", () => {
  const anthropic = (apiKey = masterKey) => new Anthropic({ baseURL: gateway.url, apiKey, maxRetries: 0 });
  const request = (id: string, changes: object = {}) => ({
    custom_id: id,
    params: { model: 'dear', max_tokens: 50, messages: [{ role: 'user' as const, content: `Say ${id}` }], ...changes },
  });

  async function ended(client: Anthropic, id: string) {
    for (let waited = 0; waited < 30_000; waited += 50) {
      const batch = await client.messages.batches.retrieve(id);
      if (batch.processing_status === 'ended') return batch;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('the batch did not end');
  }

  async function told(client: Anthropic, id: string) {
    const results = [];
    for await (const one of await client.messages.batches.results(id)) results.push(one);
    return results;
  }

  it('is run, and its results are messages', async () => {
    const client = anthropic();
    const batch = await client.messages.batches.create({ requests: [request('a'), request('b')] });
    expect(batch).toMatchObject({
      type: 'message_batch',
      processing_status: 'in_progress',
      request_counts: { processing: 2, succeeded: 0 },
      results_url: null,
    });
    const over = await ended(client, batch.id);
    expect(over.request_counts).toEqual({ processing: 0, succeeded: 2, errored: 0, canceled: 0, expired: 0 });
    const results = await told(client, batch.id);
    expect(results.map(({ custom_id }) => custom_id)).toEqual(['a', 'b']);
    expect(results[0]!.result).toMatchObject({
      type: 'succeeded',
      message: { type: 'message', role: 'assistant', model: 'dear', content: [{ type: 'text' }] },
    });
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: masterKey, maxRetries: 0 });
    await expect(openai.batches.retrieve(batch.id)).rejects.toMatchObject({ status: 404 });
    expect((await openai.files.list()).data.map(({ filename }) => filename)).not.toContain('requests.jsonl');
    expect(await client.messages.batches.delete(batch.id)).toEqual({ id: batch.id, type: 'message_batch_deleted' });
    await expect(client.messages.batches.retrieve(batch.id)).rejects.toMatchObject({ status: 404 });
  });

  it('tells what failed and what was not sent', async () => {
    const client = anthropic();
    upstream.setForModel('dear', { status: 400, error: { message: 'Not like this' } });
    const failed = await ended(client, (await client.messages.batches.create({ requests: [request('a')] })).id);
    expect(failed.request_counts).toMatchObject({ succeeded: 0, errored: 1 });
    const [one] = await told(client, failed.id);
    expect(one!.result).toMatchObject({
      type: 'errored',
      error: { type: 'error', error: { type: 'invalid_request_error' } },
    });

    upstream.setForModel('dear', { delayBeforeHeadersMs: 300 });
    const requests = Array.from({ length: 60 }, (_, index) => request(`n${index}`));
    const batch = await client.messages.batches.create({ requests });
    await expect(client.messages.batches.delete(batch.id)).rejects.toMatchObject({ status: 400 });
    await expect(client.messages.batches.results(batch.id)).rejects.toThrow('results_url');
    const asked = await client.messages.batches.cancel(batch.id);
    expect(asked.processing_status).toBe('canceling');
    expect(asked.cancel_initiated_at).not.toBeNull();
    const over = await ended(client, batch.id);
    const results = await told(client, batch.id);
    expect(results).toHaveLength(60);
    const cancelled = results.filter(({ result }) => result.type === 'canceled');
    expect(cancelled.length).toBe(over.request_counts.canceled);
    expect(cancelled.length).toBeGreaterThan(0);
  });

  it('belongs to its key, and is listed to it by pages', async () => {
    const [mine, yours] = [anthropic(await keyWith({})), anthropic(await keyWith({}))];
    const ids: string[] = [];
    for (const id of ['a', 'b', 'c']) ids.push((await mine.messages.batches.create({ requests: [request(id)] })).id);
    await expect(yours.messages.batches.retrieve(ids[0]!)).rejects.toMatchObject({ status: 404 });
    expect((await yours.messages.batches.list()).data).toEqual([]);
    const listed: string[] = [];
    for await (const one of mine.messages.batches.list({ limit: 2 })) listed.push(one.id);
    expect(listed.sort()).toEqual([...ids].sort());
    const first = await mine.messages.batches.list({ limit: 1 });
    const second = await mine.messages.batches.list({ limit: 1, after_id: first.data[0]!.id });
    const back = await mine.messages.batches.list({ limit: 1, before_id: second.data[0]!.id });
    expect(back.data).toEqual(first.data);
  });

  it('sets its money aside as a whole', async () => {
    const client = anthropic(await keyWith({ max_budget: 10 }));
    const requests = [1, 2, 3, 4, 5].map((one) => request(`${one}`));
    await expect(client.messages.batches.create({ requests })).rejects.toMatchObject({ status: 429 });
  });

  it.each([
    [{}, 'requests: expected a list'],
    [{ requests: [1] }, 'requests.0: expected an object'],
    [{ requests: [{ custom_id: 'a b', params: {} }] }, 'requests.0.custom_id: expected 1 to 64 letters'],
    [{ requests: [{ custom_id: 'a' }] }, 'requests.0.params: expected an object'],
    [{ requests: [request('a'), request('a')] }, 'requests.1.custom_id: "a" stands in an earlier request'],
    [{ requests: [request('a', { stream: true })] }, 'requests.0.params.stream'],
    [{ requests: [request('a'), request('b', { messages: 'none' })] }, 'request 2: messages'],
  ])('refuses %j', async (body, message) => {
    const answer = await gateway.post('/v1/messages/batches', body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', message: expect.stringContaining(message) },
    });
  });
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
    const empty = new FormData();
    empty.append('purpose', 'batch');
    empty.append('file', new Blob([]), 'in.jsonl');
    const refused = await send(empty);
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('file: the file is empty');
    const noPurpose = new FormData();
    noPurpose.append('file', new Blob(['x']), 'x');
    expect(await (await send(noPurpose)).text()).toContain('purpose: required');
    for (const [fields, told] of [
      [{ purpose: 'holiday' }, 'purpose: expected one of batch, '],
      [{ purpose: 'batch', 'expires_after[anchor]': 'now' }, 'expires_after[anchor]: expected \\"created_at\\"'],
      [
        { purpose: 'batch', 'expires_after[anchor]': 'created_at', 'expires_after[seconds]': '-1' },
        'expires_after[seconds]: expected a whole number of at least 3600',
      ],
    ] as const) {
      const wrong = new FormData();
      wrong.append('file', new Blob(['{}']), 'in.jsonl');
      for (const [name, value] of Object.entries(fields)) wrong.append(name, value);
      const answer = await send(wrong);
      expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining(told)]);
    }
    expect((await gateway.post('/v1/files', {})).status).toBe(415);
  });
});
