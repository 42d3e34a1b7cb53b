import { describe, expect, test } from 'vitest';
import { GatewayError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { anthropicMessages } from './anthropic-messages/index.ts';
import { openaiChat } from './openai-chat/index.ts';
import { openaiCompletions } from './openai-completions/index.ts';

const user = (content: unknown) => ({ messages: [{ role: 'user', content }] }) as JsonObject;

describe('chat', () => {
  test.each<[JsonObject, string, string]>([
    [{}, 'messages: expected a list, got nothing', 'messages'],
    [{ messages: 'hi' }, 'messages: expected a list, got a string', 'messages'],
    [{ messages: [] }, 'messages: the list is empty', 'messages'],
    [{ messages: ['hi'] }, 'messages[0]: expected an object, got a string', 'messages'],
    [{ messages: [{ role: 'bot', content: 'x' }] }, 'messages[0].role: expected one of system', 'messages'],
    [{ messages: [{ content: 'x' }] }, 'messages[0].role: ', 'messages'],
    [user(null), 'messages[0].content: expected a string or a list of parts, got null', 'messages'],
    [user(5), 'messages[0].content: expected a string or a list of parts, got a number', 'messages'],
    [user([{ type: 'text' }]), 'messages[0].content[0].text: expected a string, got nothing', 'messages'],
    [user([{ text: 'x' }]), 'messages[0].content[0].type: expected a string, got nothing', 'messages'],
    [user([{ type: 'image_url', image_url: {} }]), 'messages[0].content[0].image_url.url: ', 'messages'],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].tool_call_id: ', 'messages'],
    [
      { messages: [{ role: 'assistant', tool_calls: [{ id: 'a', type: 'function' }] }] },
      'messages[0].tool_calls[0].function: expected an object',
      'messages',
    ],
    [{ ...user('x'), tools: {} }, 'tools: expected a list, got an object', 'tools'],
    [{ ...user('x'), tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name: ', 'tools'],
    [{ ...user('x'), temperature: 'hot' }, 'temperature: expected a number, got a string', 'temperature'],
    [{ ...user('x'), stream: 'yes' }, 'stream: expected true or false, got a string', 'stream'],
    [{ ...user('x'), max_tokens: 0 }, 'max_tokens: expected a whole number of at least 1', 'max_tokens'],
    [{ ...user('x'), max_tokens: 1.5 }, 'max_tokens: expected a whole number of at least 1', 'max_tokens'],
    [{ ...user('x'), n: -1 }, 'n: expected a whole number of at least 1', 'n'],
    [{ ...user('x'), stop: [1] }, 'stop[0]: expected a string', 'stop'],
    [{ ...user('x'), user: 7 }, 'user: expected a string', 'user'],
    [{ ...user('x'), model: {} }, 'model: expected a string, got an object', 'model'],
    [{ ...user('x'), stream_options: [] }, 'stream_options: expected an object, got a list', 'stream_options'],
    [{ ...user('x'), response_format: { type: 'json_schema' } }, 'response_format.json_schema: ', 'response_format'],
  ])('%j is refused', (body, message, param) => {
    let caught: unknown;
    try {
      openaiChat.inspect(body);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(GatewayError);
    expect((caught as GatewayError).message).toContain(message);
    expect((caught as GatewayError).details.param).toBe(param);
  });

  test('what routing must know', () => {
    expect(
      openaiChat.inspect({
        model: 'm',
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: 5,
        max_completion_tokens: 7,
        n: 3,
        user: 'u',
        reasoning_effort: 'low',
        tools: [{ type: 'function', function: { name: 'f' } }],
        response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } },
        ...user([{ type: 'image_url', image_url: { url: 'https://example.com/x' } }]),
        whatever: { is: 'unknown' },
      }),
    ).toEqual({
      model: 'm',
      stream: true,
      maxOutputTokens: 7,
      choices: 3,
      endUser: 'u',
      usageInStream: true,
      needs: { tools: true, vision: true, audio: false, files: false, reasoning: true, jsonSchema: true },
      inputUnbounded: true,
      webSearchCallsMax: 0,
    });
    const inline = user([{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } }]);
    expect(openaiChat.inspect(inline).inputUnbounded).toBe(false);
    expect(openaiChat.inspect({ ...user('x'), web_search_options: {} }).webSearchCallsMax).toBeUndefined();
    expect(openaiChat.inspect({ ...user('x'), stream: null, max_tokens: null }).stream).toBe(false);
  });
});

describe('messages', () => {
  test.each<[JsonObject, string]>([
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].role: expected "user" or "assistant", got "tool"'],
    [user([{ type: 'image', source: { type: 'base64' } }]), 'messages[0].content[0].source.data: expected a string'],
    [user([{ type: 'tool_use', id: 'a', name: 'b' }]), 'messages[0].content[0].input: expected an object'],
    [
      user([{ type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text' }] }]),
      'messages[0].content[0].content[0].text: expected a string',
    ],
    [{ ...user('x'), system: 5 }, 'system: expected a string or a list of text blocks, got a number'],
    [{ ...user('x'), tools: [{ name: 'f' }] }, 'tools[0].input_schema: expected an object'],
    [{ ...user('x'), tool_choice: 'auto' }, 'tool_choice: expected an object, got a string'],
    [{ ...user('x'), max_tokens: '5' }, 'max_tokens: expected a number, got a string'],
    [{ ...user('x'), metadata: { user_id: 5 } }, 'metadata.user_id: expected a string'],
  ])('%j is refused', (body, message) => {
    expect(() => anthropicMessages.inspect(body)).toThrow(message);
  });

  test('searches are counted where the caller bounds them', () => {
    const search = (more: JsonObject) =>
      anthropicMessages.inspect({
        ...user('x'),
        tools: [{ type: 'web_search_20250305', name: 'web_search', ...more }],
      });
    expect(search({ max_uses: 3 }).webSearchCallsMax).toBe(3);
    expect(search({}).webSearchCallsMax).toBeUndefined();
    expect(search({}).inputUnbounded).toBe(true);
    expect(anthropicMessages.inspect(user('x')).webSearchCallsMax).toBe(0);
  });
});

test.each<[JsonObject, string]>([
  [{}, 'prompt: expected a string'],
  [{ prompt: [] }, 'prompt: the list is empty'],
  [{ prompt: ['a', 1] }, 'prompt: all entries must be'],
])('completions: %j is refused', (body, message) => {
  expect(() => openaiCompletions.inspect(body)).toThrow(message);
});

test('completions: every prompt is an answer of its own', () => {
  expect(openaiCompletions.inspect({ prompt: ['a', 'b'], n: 2, best_of: 3 }).choices).toBe(6);
  expect(openaiCompletions.inspect({ prompt: [1, 2, 3] }).choices).toBe(1);
});

describe('hostile bodies', () => {
  const deep = JSON.parse(`{"x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`) as JsonObject;
  const polluting = JSON.parse(
    '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
  ) as JsonObject;

  test.each([openaiChat, anthropicMessages])(
    '$name: depth, names of the prototype and size are no danger',
    (dialect) => {
      const options = { ...everything, model: 'm' };
      const started = process.hrtime.bigint();
      for (const extra of [deep, polluting, user('語'.repeat(1_000_000))]) {
        const body = { max_tokens: 5, ...user('x'), ...extra };
        dialect.inspect(body);
        const edits = dialect.passThrough(body, options);
        expect([...edits.keys()].every((name) => name === 'model')).toBe(true);
        for (const to of [openaiChat, anthropicMessages]) {
          expect(to.request.encode(dialect.request.decode(body), options).model).toBe('m');
        }
      }
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
      expect(Number(process.hrtime.bigint() - started) / 1e6).toBeLessThan(1000);
    },
  );
});

const everything = {
  model: 'm',
  dropParams: true,
  additionalDropParams: [],
  allowedParams: [],
  modifyParams: false,
  maxOutputTokensDefault: 10,
  maxOutputTokensClamp: undefined,
  defaults: {},
  extraBody: {},
  gatewayFields: new Set<string>(),
  usageInStream: 'never' as const,
  traits: { reasoningModel: false, supportsJsonSchema: true, supportsImageUrls: true, unsupportedParams: [] },
};
