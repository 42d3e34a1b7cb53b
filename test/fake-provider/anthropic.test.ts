import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type FakeProvider, startFakeProvider } from './index.ts';

let fake: FakeProvider;
let client: Anthropic;
beforeAll(async () => {
  fake = await startFakeProvider({ apiKey: 'sk-ant-fake', strict: true });
  client = new Anthropic({ apiKey: 'sk-ant-fake', baseURL: fake.url, maxRetries: 0 });
});
beforeEach(() => fake.reset());
afterAll(() => fake.close());

const question = {
  model: 'claude-a',
  max_tokens: 200,
  messages: [{ role: 'user' as const, content: 'What is a gateway?' }],
};

test('every kind of block arrives alike, whole and streamed', async () => {
  const script = {
    reasoning: 'They ask about gateways.',
    reasoningSignature: 'c2lnbmVk',
    redactedReasoning: 'aGlkZGVu',
    text: 'A gateway is 一扇门 🚪.',
    toolCalls: [
      { name: 'look_up', arguments: { word: 'gateway' } },
      { name: 'look_up', arguments: { word: '🚪' } },
    ],
    usage: { inputTokens: 12, cachedTokens: 30, cacheWriteTokens: 5, cacheWriteLongTokens: 2 },
  };
  fake.enqueue(script, script);
  const whole = await client.messages.create(question);
  const streamed = await client.messages.stream(question).finalMessage();
  expect(whole.content.map((block) => block.type)).toEqual([
    'thinking',
    'redacted_thinking',
    'text',
    'tool_use',
    'tool_use',
  ]);
  expect(whole.content[0]).toMatchObject({ thinking: 'They ask about gateways.', signature: 'c2lnbmVk' });
  expect(whole.content[4]).toMatchObject({ input: { word: '🚪' } });
  const withoutIds = (message: Anthropic.Message) =>
    message.content.map((block) => (block.type === 'tool_use' ? { ...block, id: '', caller: undefined } : block));
  expect(withoutIds(streamed)).toEqual(withoutIds(whole));
  expect(streamed.stop_reason).toBe('tool_use');
  expect(streamed.usage).toMatchObject({
    input_tokens: 12,
    cache_read_input_tokens: 30,
    cache_creation_input_tokens: 7,
    output_tokens: whole.usage.output_tokens,
  });
});

test('the stream has every event kind, in order', async () => {
  const kinds: string[] = [];
  for await (const event of await client.messages.create({ ...question, max_tokens: 2, stream: true }))
    kinds.push(event.type);
  expect(kinds).toEqual([
    'message_start',
    'content_block_start',
    'content_block_delta',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ]);
  const raw = await fetch(`${fake.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': 'sk-ant-fake', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ ...question, stream: true }),
  });
  expect(await raw.text()).toContain('event: ping\ndata: {"type":"ping"}\n\n');
});

test('an error inside a stream is an error event', async () => {
  fake.enqueue({ errorAtEvent: 4 });
  const failure = await client.messages
    .stream(question)
    .finalMessage()
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Anthropic.APIError);
  expect(String(failure)).toContain('overloaded_error');
});

test('counts tokens and refuses what the real one refuses', async () => {
  const counted = await client.messages.countTokens({ model: 'claude-a', messages: question.messages });
  const answered = await client.messages.create(question);
  expect(counted.input_tokens).toBe(answered.usage.input_tokens);
  const refusal = async (body: object) =>
    String(await client.post('/v1/messages', { body }).catch((error: unknown) => error));
  expect(await refusal({ model: 'a', messages: question.messages })).toContain('max_tokens: Field required');
  expect(await refusal({ ...question, frequency_penalty: 1 })).toContain(
    'frequency_penalty: Extra inputs are not permitted',
  );
  expect(await refusal({ ...question, messages: [{ role: 'tool', content: 'x' }] })).toContain('messages.0.role');
  const call = { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }] };
  expect(await refusal({ ...question, messages: [...question.messages, call, ...question.messages] })).toContain(
    'toolu_1',
  );
  const result = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_9', content: 'x' }] };
  expect(await refusal({ ...question, messages: [...question.messages, call, result] })).toContain('toolu_1');
});
