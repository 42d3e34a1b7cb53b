import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type MediaAnswer, type MediaServer, startMediaServer } from '../fake-provider/media-server.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';

/** Images, sounds and documents for providers that take them from a store of their own, or where a model says. */
let upstream: MediaServer;
let rig: GatewayRig;

const token = 'eyJ-token-made-for-the-store';
const credential = 'sk-credential-of-the-operator';

beforeAll(async () => {
  upstream = await startMediaServer();
  const place = `api_base: ${upstream.url}/v1, api_key: ${credential}`;
  const price = 'input_cost_per_token: 0.00001, output_cost_per_token: 0.00002';
  rig = await startGatewayRig(
    `model_list:
  - { model_name: giga, litellm_params: { model: gigachat/GigaChat-2-Max, ${place}, ${price} } }
  - { model_name: seer, litellm_params: { model: replicate/google/seer, ${place}, ${price} } }
  - { model_name: sage, litellm_params: { model: replicate/google/sage, ${place}, ${price} } }
  - { model_name: spare, litellm_params: { model: openai/spare, ${place}, ${price} } }
router_settings: { num_retries: 0, fallbacks: [{ giga: [spare] }] }
general_settings: { media_fetch: { allowed_hosts: ["${new URL(upstream.url).host}"] } }
`,
    { GIGACHAT_AUTH_URL: `${upstream.url}/oauth` },
  );
  // The token is asked for once.
  upstream.answers = [json({ access_token: token, expires_at: Date.now() + 3_600_000 }), chat()];
  await rig.chat({ model: 'giga' });
});

afterAll(async () => {
  await rig?.close();
  await upstream?.close();
});

beforeEach(() => {
  upstream.requests.length = 0;
  upstream.abandoned = 0;
});

const json = (body: object, status = 200): MediaAnswer => ({ status, chunks: [JSON.stringify(body)] });
const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };
const stored = (id: string) => json({ id, object: 'file', purpose: 'general' });

function chat(): MediaAnswer {
  const message = { role: 'assistant', content: 'A cat.' };
  return json({ choices: [{ index: 0, message, finish_reason: 'stop' }], model: 'x', created: 1, usage });
}

const png = 'data:image/png;base64,iVBORw0KGgo=';
const image = { type: 'image_url', image_url: { url: png } };
const document = { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } };
const asking = (model: string, ...content: object[]) => ({ model, messages: [{ role: 'user', content }] });

const seen = () => upstream.requests.map(({ method, path }) => `${method} ${path}`);
const lastBody = (path: string) => {
  const request = upstream.requests.findLast((one) => one.path === path);
  return JSON.parse(request!.body.toString()) as { messages: Record<string, unknown>[]; [name: string]: unknown };
};

async function tidied(count: number): Promise<void> {
  await expect.poll(() => seen().filter((line) => /delete$|^DELETE/.test(line)).length).toBe(count);
}

describe('GigaChat', () => {
  test('reads what was put into its store, and it is taken away again', async () => {
    const before = rig.records.length;
    upstream.answers = [stored('one'), stored('two'), chat(), json({ deleted: true })];
    const reply = await rig.chat(asking('giga', { type: 'text', text: 'What is it?' }, image, document));
    expect(await reply.json()).toMatchObject({ choices: [{ message: { content: 'A cat.' } }] });
    await tidied(2);
    expect(seen()).toEqual([
      'POST /v1/files',
      'POST /v1/files',
      'POST /v1/chat/completions',
      'POST /v1/files/one/delete',
      'POST /v1/files/two/delete',
    ]);
    expect(upstream.requests.slice(0, 2).map(({ form }) => form)).toEqual(
      expect.arrayContaining([
        { file: 'attachment.png:8', purpose: 'general' },
        { file: 'a.pdf:5', purpose: 'general' },
      ]),
    );
    expect(upstream.requests.every(({ headers }) => headers.authorization === `Bearer ${token}`)).toBe(true);
    const { messages, function_call: choice } = lastBody('/v1/chat/completions');
    expect(messages[0]).toMatchObject({ content: 'What is it?', attachments: expect.arrayContaining(['one', 'two']) });
    expect(choice).toBe('auto');
    expect((await rig.recorded(before + 1)).at(-1)).toMatchObject({ status: 'success', cost: 1_200_000 });
  });

  test('an image by address, of a caller with another format', async () => {
    const fetched = { type: 'image/jpeg', chunks: ['JPEG'] };
    upstream.answers = [fetched, stored('three'), chat(), json({ deleted: true })];
    const source = { type: 'url', url: `${upstream.url}/cat.jpg` };
    const body = asking('giga', { type: 'image', source }, { type: 'text', text: 'What is it?' });
    const reply = await rig.post('/v1/messages', { ...body, max_tokens: 50 });
    expect(await reply.json()).toMatchObject({ content: [{ type: 'text', text: 'A cat.' }] });
    expect(upstream.requests[1]!.form.file).toBe('attachment.jpg:4');
    expect(lastBody('/v1/chat/completions').messages[0]).toMatchObject({ attachments: ['three'] });
    await tidied(1);
  });

  test('a store that refuses is told of, without what it says of us, and nothing is charged', async () => {
    const before = rig.records.length;
    upstream.answers = [json({ status: 413, message: `Too large for Bearer ${token} of ${credential}` }, 413)];
    const reply = await rig.chat({ ...asking('giga', image), disable_fallbacks: true });
    expect(reply.status).toBe(413);
    const text = await reply.text();
    expect(text).toContain('GigaChatException');
    expect(text).toContain('Too large for');
    expect(text).not.toContain(token);
    expect(text).not.toContain(credential);
    expect(seen()).toEqual(['POST /v1/files']);
    expect((await rig.recorded(before + 1)).at(-1)).toMatchObject({ status: 'failure', cost: 0 });
  });

  test.each([
    ['breaks off', { chunks: ['{"id'], breaks: true }],
    ['says nonsense', { type: 'text/html', chunks: ['<p>'] }],
    ['says no id', json({ object: 'file' })],
  ])('when its store %s, another model answers', async (_, answer) => {
    const before = rig.records.length;
    upstream.answers = [answer, chat()];
    const reply = await rig.chat(asking('giga', image));
    expect(await reply.json()).toMatchObject({ choices: [{ message: { content: 'A cat.' } }] });
    expect(seen()).toEqual(['POST /v1/files', 'POST /v1/chat/completions']);
    expect((await rig.recorded(before + 1)).at(-1)).toMatchObject({ modelGroup: 'spare', cost: 1_200_000 });
  });

  test('a caller who leaves while its image is handed over pays nothing, and nothing is left behind', async () => {
    const before = rig.records.length;
    upstream.answers = [stored('four'), { chunks: ['{'], hangs: true }, json({ deleted: true })];
    const leaving = new AbortController();
    const asked = rig.chat(asking('giga', image, document), { signal: leaving.signal }).catch(() => null);
    await expect.poll(() => upstream.requests.length).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 30));
    leaving.abort();
    await asked;
    await expect.poll(() => upstream.abandoned).toBe(1);
    await tidied(1);
    expect(seen()).toEqual(['POST /v1/files', 'POST /v1/files', 'POST /v1/files/four/delete']);
    expect((await rig.recorded(before + 1)).at(-1)).toMatchObject({ cost: 0, httpStatus: 499 });
  });
});

describe('Replicate', () => {
  const uri = { type: 'string', format: 'uri' };
  const model = (properties: object) =>
    json({ latest_version: { openapi_schema: { components: { schemas: { Input: { properties } } } } } });
  const prediction = json({
    id: 'p1',
    status: 'succeeded',
    output: ['A ', 'cat.'],
    metrics: { input_token_count: 100, output_token_count: 10 },
  });

  test('the model says where its images go; what is large lies in the store while it is worked on', async () => {
    const before = rig.records.length;
    const large = `data:image/png;base64,${'QUJD'.repeat(80_000)}`;
    const put = json({ id: 'f1', urls: { get: 'https://api.replicate.example/v1/files/f1' } });
    const images = { type: 'array', items: uri };
    upstream.answers = [model({ prompt: {}, images }), put, prediction, { status: 204, chunks: [] }];
    const more = { type: 'image_url', image_url: { url: large } };
    const reply = await rig.chat(asking('seer', image, more, { type: 'text', text: 'What?' }));
    expect(await reply.json()).toMatchObject({ choices: [{ message: { content: 'A cat.' } }] });
    await tidied(1);
    expect(seen()).toEqual([
      'GET /v1/models/google/seer',
      'POST /v1/files',
      'POST /v1/models/google/seer/predictions',
      'DELETE /v1/files/f1',
    ]);
    expect(upstream.requests[1]!.form).toEqual({ content: 'input.png:240000' });
    expect(lastBody('/v1/models/google/seer/predictions')).toEqual({
      input: { prompt: 'What?', images: [png, 'https://api.replicate.example/v1/files/f1'] },
    });
    expect((await rig.recorded(before + 1)).at(-1)).toMatchObject({ status: 'success', cost: 1_200_000 });
  });

  test('what a model has no input for is the caller’s mistake; its description is asked for once', async () => {
    upstream.answers = [prediction];
    const sound = { type: 'input_audio', input_audio: { format: 'wav', data: 'UklGRg==' } };
    const reply = await rig.chat(asking('seer', sound));
    expect(reply.status).toBe(400);
    const { error } = (await reply.json()) as { error: { message: string; param: string } };
    expect(error.message).toContain('the model at Replicate does not support content of type "audio"');
    expect(error.param).toBe('messages');
    expect(seen()).toEqual([]);
  });

  test('a caller who leaves while a model is asked about takes nothing from others who wait for it', async () => {
    const before = rig.records.length;
    let tell = () => {};
    const told = new Promise<void>((resolve) => {
      tell = resolve;
    });
    upstream.answers = [{ ...model({ prompt: {}, image: uri }), after: told }, prediction];
    const leaving = new AbortController();
    const left = rig.chat(asking('sage', image), { signal: leaving.signal }).catch(() => 'left');
    await expect.poll(() => seen().length).toBe(1);
    const waits = rig.chat(asking('sage', image));
    await new Promise((resolve) => setTimeout(resolve, 50));
    leaving.abort();
    expect(await left).toBe('left');
    // The one who left is settled before there is an answer.
    expect((await rig.recorded(before + 1)).at(-1)).toMatchObject({ cost: 0 });
    tell();
    expect(await (await waits).json()).toMatchObject({ choices: [{ message: { content: 'A cat.' } }] });
    expect(seen()).toEqual(['GET /v1/models/google/sage', 'POST /v1/models/google/sage/predictions']);
  });
});
