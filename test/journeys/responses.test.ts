import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { deployment } from './support/config-text.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/*
 * What is kept between requests: answers and conversations, at providers that keep them, and in the gateway's own store
 * for the others.
 */
let fake: FakeProvider;
let gateway: GatewayProcess;
let openai: OpenAI;
let other: OpenAI;

beforeAll(async () => {
  fake = await startFakeProvider();
  gateway = await startGateway({
    config: `model_list:
${deployment('native', fake.url, 'openai/some-model')}
${deployment('native-two', fake.url, 'openai/other-model')}
${deployment('claude', fake.url, 'anthropic/some-claude', { api_base: fake.url })}
${deployment('chat-only', fake.url, 'hosted_vllm/some-model')}
router_settings: {num_retries: 0}
`,
  });
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: masterKey, maxRetries: 0 });
  const made = (await (await gateway.post('/key/generate', {})).json()) as { key: string };
  other = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: made.key, maxRetries: 0 });
});
beforeEach(() => fake.setDefault({}));
afterAll(async () => {
  await gateway?.stop();
  await fake?.close();
});

const lastSent = () => fake.requests.at(-1)?.json as Record<string, unknown> & { messages: object[]; input: object[] };

describe.each([
  ['claude', 'the gateway keeps'],
  ['chat-only', 'the gateway keeps'],
  ['native', 'its provider keeps'],
])('an answer of %s, which %s', (model) => {
  it.each([false, true])('is gone on from, asked for, listed and deleted (stream: %s)', async (stream) => {
    fake.setDefault({ text: 'My name is Fake.' });
    const asked = { model, input: 'What is your name?', instructions: 'Be brief.' };
    const first = stream ? await openai.responses.stream(asked).finalResponse() : await openai.responses.create(asked);
    expect(first.output_text).toBe('My name is Fake.');
    expect(first.status).toBe('completed');
    expect(first.model).toBe(model);

    fake.setDefault({ text: 'As I said.' });
    const second = await openai.responses.create({ model, input: 'Again?', previous_response_id: first.id });
    expect(second.output_text).toBe('As I said.');
    expect(second.previous_response_id).toBe(first.id);
    const text = JSON.stringify(lastSent());
    // The provider's own id: ours, which says where the answer is kept, is several times as long.
    if (model === 'native') expect(text).toMatch(/"previous_response_id":"resp_[0-9a-z]{6,20}"/);
    else {
      expect(text).toContain('What is your name?');
      expect(text).toContain('My name is Fake.');
      // Instructions are those of the request alone.
      expect(text).not.toContain('Be brief.');
      expect(text).not.toContain('previous_response_id');
    }

    const again = await openai.responses.retrieve(first.id);
    expect(again.id).toBe(first.id);
    expect(again.model).toBe(model);
    const items = await openai.responses.inputItems.list(second.id);
    expect(JSON.stringify(items.data)).toContain('Again?');

    await expect(other.responses.retrieve(first.id)).rejects.toThrow(OpenAI.NotFoundError);
    await expect(other.responses.create({ model, input: 'Spy', previous_response_id: first.id })).rejects.toThrow(
      /not found/,
    );
    await openai.responses.delete(first.id);
    await expect(openai.responses.retrieve(first.id)).rejects.toThrow(OpenAI.NotFoundError);
  });

  it('is not kept when the caller says so', async () => {
    const first = await openai.responses.create({ model, input: 'Secret', store: false });
    await expect(openai.responses.create({ model, input: 'More', previous_response_id: first.id })).rejects.toThrow(
      OpenAI.BadRequestError,
    );
  });

  it('belongs to a conversation that goes on with any model', async () => {
    const conversation = await openai.conversations.create({
      items: [{ type: 'message', role: 'user', content: 'I live in Oslo.' }],
      metadata: { topic: 'towns' },
    });
    fake.setDefault({ text: 'Noted.' });
    const first = await openai.responses.create({ model, input: 'Remember it.', conversation: conversation.id });
    expect(first.conversation?.id).toBe(conversation.id);
    await openai.responses.create({ model: 'claude', input: 'Where do I live?', conversation: conversation.id });
    const text = JSON.stringify(lastSent().messages);
    for (const said of ['I live in Oslo.', 'Remember it.', 'Noted.', 'Where do I live?']) expect(text).toContain(said);

    const items = await openai.conversations.items.list(conversation.id, { order: 'asc' });
    expect(items.data.length).toBe(5);
    expect(new Set(items.data.map((item) => item.id)).size).toBe(5);
    await expect(other.conversations.retrieve(conversation.id)).rejects.toThrow(OpenAI.NotFoundError);
    const boss = [{ type: 'message', role: 'boss', content: 'x' }] as unknown as OpenAI.Responses.ResponseInputItem[];
    await expect(openai.conversations.create({ items: boss })).rejects.toThrow(/items\[0\]\.role: expected one of/);
    await openai.conversations.update(conversation.id, { metadata: { topic: 'places' } });
    expect((await openai.conversations.retrieve(conversation.id)).metadata).toEqual({ topic: 'places' });
    await openai.conversations.delete(conversation.id);
    await expect(openai.conversations.items.list(conversation.id)).rejects.toThrow(OpenAI.NotFoundError);
  });

  it('is worked on in the background, and cancelled', async () => {
    fake.enqueue({ text: 'Done at last.', delayBeforeHeadersMs: 60 });
    const queued = await openai.responses.create({ model, input: 'Take your time', background: true });
    expect(queued.status).toBe('queued');
    let answer = queued;
    for (let tries = 0; answer.status === 'queued' && tries < 200; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      answer = await openai.responses.retrieve(queued.id);
    }
    expect(answer.status).toBe('completed');
    expect(JSON.stringify(answer.output)).toContain('Done at last.');
    expect(answer.background).toBe(true);
    expect(lastSent().background).toBeUndefined();

    fake.enqueue({ text: 'Never.', stall: { at: 'before-headers' } });
    const endless = await openai.responses.create({ model, input: 'For ever', background: true });
    expect((await openai.responses.cancel(endless.id)).status).toBe('cancelled');
    await fake.requests.at(-1)?.ended;
    await expect(openai.responses.create({ model, input: 'x', background: true, store: false })).rejects.toThrow(
      /store/,
    );
  });
});

it('goes on from another model of the same account, and from another provider only with the whole conversation', async () => {
  const first = await openai.responses.create({ model: 'native', input: 'One' });
  await openai.responses.create({ model: 'native-two', input: 'Two', previous_response_id: first.id });
  await expect(
    openai.responses.create({ model: 'claude', input: 'Two', previous_response_id: first.id }),
  ).rejects.toThrow(/is kept by OpenAI/);
  fake.setDefault({ text: 'Hm.', reasoning: 'Let me think.' });
  const other = await openai.responses.create({ model: 'claude', input: 'Three' });
  expect(other.output[0]).toMatchObject({ type: 'reasoning', encrypted_content: expect.stringMatching(/^signature:/) });
  await openai.responses.create({ model: 'native', input: 'Four', previous_response_id: other.id });
  expect(JSON.stringify(lastSent().input)).not.toContain('reasoning');
  await openai.responses.create({ model: 'claude', input: 'Five', previous_response_id: other.id });
  expect(JSON.stringify(lastSent().messages)).toContain('"type":"thinking"');
});

it('refuses ids that were never given, in the same words as foreign ones', async () => {
  for (const id of ['resp_n', 'resp_nAAAA', `resp_n${'A'.repeat(60)}`, 'resp_g123', 'x', '__proto__']) {
    await expect(openai.responses.retrieve(id)).rejects.toThrow(/not found/);
    await expect(openai.responses.create({ model: 'claude', input: 'x', previous_response_id: id })).rejects.toThrow(
      /Previous response with id .* not found/,
    );
  }
});

describe.each([['claude'], ['chat-only'], ['native']])('everything the format has, with %s', (model) => {
  const weather = {
    type: 'function' as const,
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
    strict: false,
  };
  const calls = [
    { name: 'get_weather', arguments: { city: 'Zürich' } },
    { name: 'get_weather', arguments: { city: '東京' } },
  ];

  it.each([false, true])('calls two tools at once and takes their results (stream: %s)', async (stream) => {
    fake.setDefault({ text: '', toolCalls: calls });
    const asked = { model, input: 'Weather?', tools: [weather], store: false };
    const first = stream ? await openai.responses.stream(asked).finalResponse() : await openai.responses.create(asked);
    const output = first.output as OpenAI.Responses.ResponseOutputItem[];
    const made = output.flatMap((item) => (item.type === 'function_call' ? [item] : []));
    expect(made.map((call) => JSON.parse(call.arguments))).toEqual(calls.map((call) => call.arguments));
    expect(new Set(made.map((call) => call.call_id)).size).toBe(2);
    fake.setDefault({ text: 'Sunny in both.' });
    const second = await openai.responses.create({
      ...asked,
      input: [
        { role: 'user', content: 'Weather?' },
        ...(first.output as OpenAI.Responses.ResponseInputItem[]),
        ...made.map((call) => ({ type: 'function_call_output' as const, call_id: call.call_id, output: 'sunny' })),
      ],
    });
    expect(second.output_text).toBe('Sunny in both.');
  });

  it('tells of a limit that cut the answer, and counts what it used', async () => {
    fake.setDefault({ text: 'One two three four five six seven eight' });
    const answer = await openai.responses.create({ model, input: 'Count', max_output_tokens: 3 });
    expect(answer.status).toBe('incomplete');
    expect(answer.incomplete_details?.reason).toBe('max_output_tokens');
    expect(answer.usage?.output_tokens).toBe(3);
  });

  it('raises what went wrong as errors of the client, whole and in a stream', async () => {
    fake.setDefault({ status: 400, error: { message: 'temperature must be at most 2' } });
    await expect(openai.responses.create({ model, input: 'x' })).rejects.toThrow(OpenAI.BadRequestError);
    fake.setDefault({ reset: { event: 8 }, delayBetweenEventsMs: 2 });
    await expect(
      (async () => {
        for await (const _event of await openai.responses.create({ model, input: 'x', stream: true }));
      })(),
    ).rejects.toThrow();
  });
});

it('gives a tool that takes free text to a model that knows none, and the text back to the caller', async () => {
  const patch = '*** Begin Patch\n+"é"\n*** End Patch';
  const tools = [{ type: 'custom' as const, name: 'apply_patch', description: 'Changes files.' }];
  for (const stream of [false, true]) {
    fake.setDefault({ text: '', toolCalls: [{ name: 'apply_patch', arguments: { input: patch } }] });
    const asked = { model: 'claude', input: 'Fix it', tools, store: false };
    const answer = stream ? await openai.responses.stream(asked).finalResponse() : await openai.responses.create(asked);
    expect((lastSent() as unknown as { tools: object[] }).tools).toMatchObject([
      { name: 'apply_patch', input_schema: { required: ['input'] } },
    ]);
    expect(answer.output).toMatchObject([{ type: 'custom_tool_call', name: 'apply_patch', input: patch }]);
  }
});

describe('a conversation that is compacted', () => {
  it('goes to a provider that can, as sent, and costs what was read and written', async () => {
    const input = [{ role: 'user' as const, content: 'A long story' }];
    const told = await openai.responses.compact({ model: 'native', input });
    expect(told).toMatchObject({ object: 'response.compaction', output: [{ type: 'compaction' }] });
    expect(told.usage.input_tokens).toBeGreaterThan(0);
    expect(fake.requests.at(-1)!.path).toBe('/v1/responses/compact');
    expect(lastSent()).toEqual({ model: 'some-model', input });
    // What it gave is understood again.
    await openai.responses.create({ model: 'native', input: [...told.output, ...input] as never, store: false });
    expect(JSON.stringify(lastSent().input)).toContain('"encrypted_content":"sealed"');
  });

  it('is refused where nobody can, and where it is not sent', async () => {
    const input = 'A long story';
    await expect(openai.responses.compact({ model: 'claude', input })).rejects.toThrow(/compaction/);
    const asked = { model: 'native', input, previous_response_id: 'resp_gone' };
    await expect(openai.responses.compact(asked)).rejects.toThrow(/previous_response_id/);
  });
});
