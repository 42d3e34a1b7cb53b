import { describe, expect, test } from 'vitest';
import type { Dialect } from '../core/dialect.ts';
import { GatewayError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { anthropicMessages } from './anthropic-messages/index.ts';
import { cohereChat } from './cohere-chat/index.ts';
import { ollamaChat, ollamaGenerate } from './ollama-chat/index.ts';
import { openaiChat } from './openai-chat/index.ts';
import { openaiCompletions } from './openai-completions/index.ts';
import { openaiResponses } from './openai-responses/index.ts';

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
    [
      user([{ type: 'image', source: { type: 'base64', media_type: 'image/png' } }]),
      'messages[0].content[0].source.data: expected a string',
    ],
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

/** What is wrong is told by its place, before anything is asked of anybody. */
function refuses(dialect: Dialect, cases: readonly (readonly [object, string, string])[]): void {
  test.each(cases)('%j', (body, message, param) => {
    let refusal: unknown;
    try {
      dialect.request.decode(body as JsonObject);
    } catch (cause) {
      refusal = cause;
    }
    expect(refusal).toBeInstanceOf(GatewayError);
    const { status, details, message: told } = refusal as GatewayError;
    expect([status, details.param]).toEqual([400, param]);
    expect(told).toContain(message);
  });
}

describe('responses', () => {
  refuses(openaiResponses, [
    [{ input: 5 }, 'input: expected a string or a list of items, got a number', 'input'],
    [{ input: ['hi'] }, 'input[0]: expected an object, got a string', 'input'],
    [{ input: [{ role: 'bot', content: 'x' }] }, 'input[0].role: expected one of system', 'input'],
    [{ input: [{ role: 'user' }] }, 'input[0].content: expected a string or a list of parts, got nothing', 'input'],
    [{ input: [{ role: 'user', content: [{ type: 'input_text' }] }] }, 'input[0].content[0].text: ', 'input'],
    [{ input: [{ role: 'user', content: [{ type: 'input_image' }] }] }, 'expected image_url or file_id', 'input'],
    [
      { input: [{ role: 'user', content: [{ type: 'input_file' }] }] },
      'expected file_data, file_id or file_url',
      'input',
    ],
    [{ input: [{ type: 'function_call', name: 'f', arguments: '{}' }] }, 'input[0].call_id: ', 'input'],
    [{ input: [{ type: 'function_call_output', output: 'x' }] }, 'input[0].call_id: ', 'input'],
    [{ input: 'x', tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools[0].function: this format', 'tools'],
    [{ input: 'x', tools: [{ type: 'function' }] }, 'tools[0].name: ', 'tools'],
    [{ input: 'x', text: { format: { type: 'json_schema' } } }, 'text.format.schema: ', 'text'],
    [
      { input: 'x', max_output_tokens: 0 },
      'max_output_tokens: expected a whole number of at least 1',
      'max_output_tokens',
    ],
    [{ input: 'x', temperature: 'hot' }, 'temperature: expected a number, got a string', 'temperature'],
    [{ input: 'x', conversation: 5 }, 'conversation: expected an object, got a number', 'conversation'],
    [{ input: 'x', store: 'yes' }, 'store: expected true or false', 'store'],
    [{ input: 'x', previous_response_id: 'resp_1' }, "'previous_response_id'", 'previous_response_id'],
  ]);
});

describe('cohere', () => {
  refuses(cohereChat, [
    [{}, 'messages: expected a list, got nothing', 'messages'],
    [{ messages: [{ role: 'bot', content: 'x' }] }, 'messages[0].role: ', 'messages'],
    [{ ...user('x'), p: 'much' }, 'p: expected a number, got a string', 'p'],
    [{ ...user('x'), k: -1 }, 'k: expected a whole number of at least 0', 'k'],
    [{ ...user('x'), stop_sequences: [5] }, 'stop_sequences[0]: expected a string', 'stop_sequences'],
    [{ ...user('x'), documents: 'all' }, 'documents: expected a list, got a string', 'documents'],
    [{ ...user('x'), tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name: ', 'tools'],
  ]);
});

describe('ollama', () => {
  refuses(ollamaChat, [
    [{}, 'messages: the list is empty', 'messages'],
    [{ messages: [{ role: 'bot', content: 'x' }] }, 'messages[0].role: expected one of system', 'messages'],
    [user([{ type: 'text', text: 'x' }]), 'messages[0].content: expected a string, got a list', 'messages'],
    [{ messages: [{ role: 'user', images: [5] }] }, 'messages[0].images[0]: expected a string', 'messages'],
    [{ ...user('x'), format: 'xml' }, 'format: expected "json" or a JSON schema', 'format'],
    [{ ...user('x'), think: 5 }, 'think: expected true, false or an effort', 'think'],
    [{ ...user('x'), options: { num_predict: 1.5 } }, 'options.num_predict: expected a whole number', 'options'],
    [{ ...user('x'), options: { temperature: 'hot' } }, 'options.temperature: expected a number', 'options'],
    [{ ...user('x'), options: [] }, 'options: expected an object, got a list', 'options'],
    [{ ...user('x'), tools: [{ type: 'function' }] }, 'tools[0].function: expected an object', 'tools'],
  ]);
  refuses(ollamaGenerate, [[{}, 'prompt: expected a text', 'prompt']]);
});
