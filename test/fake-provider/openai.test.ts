import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type FakeProvider, hugeToolArguments, startFakeProvider } from './index.ts';

// The official client is the judge of the wire format.
let fake: FakeProvider;
let client: OpenAI;
beforeAll(async () => {
  fake = await startFakeProvider({ apiKey: 'sk-fake', models: ['gpt-a', 'gpt-b'] });
  client = new OpenAI({ apiKey: 'sk-fake', baseURL: `${fake.url}/v1`, maxRetries: 0 });
});
beforeEach(() => fake.reset());
afterAll(() => fake.close());

const messages = [{ role: 'user' as const, content: 'What is a gateway?' }];

test('answers the same request with the same text, and says what it costs', async () => {
  const first = await client.chat.completions.create({ model: 'gpt-a', messages });
  const second = await client.chat.completions.create({ model: 'gpt-a', messages });
  expect(first.choices[0]!.message.content).toContain('What is a gateway?');
  expect(second.choices[0]!.message.content).toBe(first.choices[0]!.message.content);
  expect(first.id).not.toBe(second.id);
  expect(first.choices[0]!.finish_reason).toBe('stop');
  expect(first.usage!.prompt_tokens).toBe(Math.ceil(('user'.length + 'What is a gateway?'.length) / 4) + 6);
  expect(first.usage!.completion_tokens).toBeGreaterThan(10);
  expect(first.usage!.prompt_tokens).toBeLessThan(fake.requests[0]!.body.length);
});

test('a stream carries the same text as the whole answer, and usage only when asked for', async () => {
  const whole = await client.chat.completions.create({ model: 'gpt-a', messages });
  const read = async (includeUsage: boolean) => {
    const stream = await client.chat.completions.create({
      model: 'gpt-a',
      messages,
      stream: true,
      stream_options: { include_usage: includeUsage },
    });
    let text = '';
    let usage: OpenAI.CompletionUsage | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage ??= chunk.usage ?? undefined;
    }
    return { text, usage };
  };
  const withUsage = await read(true);
  expect(withUsage.text).toBe(whole.choices[0]!.message.content);
  expect(withUsage.usage).toEqual(whole.usage);
  expect((await read(false)).usage).toBeUndefined();
});

test('stops at max_tokens, in pieces and in the bill', async () => {
  const cut = await client.chat.completions.create({ model: 'gpt-a', messages, max_tokens: 5 });
  expect(cut.usage!.completion_tokens).toBe(5);
  expect(cut.choices[0]!.finish_reason).toBe('length');
  fake.enqueue({ ignoreMaxTokens: true });
  const uncut = await client.chat.completions.create({ model: 'gpt-a', messages, max_tokens: 5 });
  expect(uncut.usage!.completion_tokens).toBeGreaterThan(5);
});

test.each([false, true])('parallel tool calls stream (interleaved: %s)', async (interleaveToolCalls) => {
  fake.enqueue({
    interleaveToolCalls,
    toolCalls: [
      { name: 'weather', arguments: { city: 'Zürich' } },
      { name: 'time', arguments: { zone: 'Europe/Zurich' } },
    ],
  });
  const runner = client.chat.completions.stream({ model: 'gpt-a', messages });
  const final = await runner.finalChatCompletion();
  const calls = final.choices[0]!.message.tool_calls!;
  expect(calls.map((call) => call.type === 'function' && call.function.arguments)).toEqual([
    '{"city":"Zürich"}',
    '{"zone":"Europe/Zurich"}',
  ]);
  expect(new Set(calls.map((call) => call.id)).size).toBe(2);
  expect(final.choices[0]!.finish_reason).toBe('tool_calls');
});

test('a required tool is called with arguments of its schema', async () => {
  const answer = await client.chat.completions.create({
    model: 'gpt-a',
    messages,
    tool_choice: 'required',
    tools: [
      {
        type: 'function',
        function: { name: 'add', parameters: { type: 'object', properties: { a: { type: 'number' } } } },
      },
    ],
  });
  const call = answer.choices[0]!.message.tool_calls![0]!;
  expect(call.type === 'function' && call.function).toEqual({ name: 'add', arguments: '{"a":1}' });
});

test('cached and reasoning tokens are reported in the details', async () => {
  fake.enqueue({ reasoning: 'Let me think.', usage: { inputTokens: 10, cachedTokens: 90 } });
  const answer = await client.chat.completions.create({ model: 'gpt-a', messages });
  expect(answer.usage!.prompt_tokens).toBe(100);
  expect(answer.usage!.prompt_tokens_details!.cached_tokens).toBe(90);
  expect(answer.usage!.completion_tokens_details!.reasoning_tokens).toBeGreaterThan(0);
  expect(answer.choices[0]!.message).toHaveProperty('reasoning_content', 'Let me think.');
});

test('completions, embeddings and the model list', async () => {
  const completion = await client.completions.create({ model: 'gpt-a', prompt: 'Once' });
  expect(completion.usage!.completion_tokens).toBeLessThanOrEqual(16);
  const streamed = await client.completions.create({ model: 'gpt-a', prompt: 'Once', stream: true });
  let text = '';
  for await (const chunk of streamed) text += chunk.choices[0]!.text;
  expect(text).toBe(completion.choices[0]!.text);
  const floats = await client.embeddings.create({ model: 'gpt-a', input: ['a', 'b'], encoding_format: 'float' });
  const packed = await client.embeddings.create({ model: 'gpt-a', input: ['a', 'b'] });
  expect(floats.data).toHaveLength(2);
  expect(Math.hypot(...floats.data[0]!.embedding)).toBeCloseTo(1, 5);
  for (const [index, value] of packed.data[1]!.embedding.entries()) {
    expect(value).toBeCloseTo(floats.data[1]!.embedding[index]!, 6);
  }
  expect((await client.models.list()).data.map((model) => model.id)).toEqual(['gpt-a', 'gpt-b']);
});

test('errors have the shape, status and headers of the real ones', async () => {
  fake.enqueue({
    status: 429,
    headers: { 'retry-after': '7' },
    error: { message: 'slow down', code: 'rate_limit_exceeded' },
  });
  const limited = await client.chat.completions.create({ model: 'gpt-a', messages }).catch((error: unknown) => error);
  expect(limited).toBeInstanceOf(OpenAI.RateLimitError);
  expect(limited).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
  const stranger = new OpenAI({ apiKey: 'sk-other', baseURL: `${fake.url}/v1`, maxRetries: 0 });
  await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  await expect(client.post('/chat/completions', { body: { model: 'gpt-a' } })).rejects.toThrow(
    "Missing required parameter: 'messages'",
  );
  await expect(client.post('/nowhere', { body: {} })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
});

test('several choices are several texts, all of them billed', async () => {
  const answer = await client.chat.completions.create({ model: 'gpt-a', messages, n: 2 });
  expect(answer.choices.map((choice) => choice.index)).toEqual([0, 1]);
  expect(answer.choices[0]!.message.content).not.toBe(answer.choices[1]!.message.content);
});

test('tool arguments of 8 MiB arrive whole, streamed or not', async () => {
  fake.enqueue({ ...hugeToolArguments(), times: 2 });
  const streamed = await client.chat.completions.stream({ model: 'gpt-a', messages }).finalChatCompletion();
  const whole = await client.chat.completions.create({ model: 'gpt-a', messages });
  for (const answer of [streamed, whole]) {
    const call = answer.choices[0]!.message.tool_calls![0]!;
    expect(call.type === 'function' && call.function.arguments.length).toBeGreaterThan(8 * 1024 * 1024);
  }
});

test('scripts by model, and scripts that look at the request', async () => {
  fake.setForModel('gpt-b', { status: 503 });
  fake.setDefault((request) => ({ text: `request ${request.index}` }));
  await expect(client.chat.completions.create({ model: 'gpt-b', messages })).rejects.toMatchObject({ status: 503 });
  const answer = await client.chat.completions.create({ model: 'gpt-a', messages });
  expect(answer.choices[0]!.message.content).toBe('request 1');
});
