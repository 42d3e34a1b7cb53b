import { describe, expect, test } from 'vitest';
import { plainOptions } from '../../test/contract/dialect.ts';
import type { EncodeOptions } from '../core/dialect.ts';
import { GatewayError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { DialectName } from '../core/operation.ts';
import { dialects } from './index.ts';

/*
 * What one format can say and a provider of another cannot take: refused by its name, dropped where the operator says so.
 * Sources: the parameters of @anthropic-ai/sdk 1.12.0, @google/genai 3.3.0, cohere-ai 8.1.0 and ollama 0.6.4.
 */
function sent(body: JsonObject, to: DialectName, more: Partial<EncodeOptions> = {}, from: DialectName = 'openai-chat') {
  const said = 'contents' in body || 'input' in body ? {} : { messages: [{ role: 'user', content: 'x' }] };
  const request = dialects.get(from)!.request.decode({ ...said, ...body });
  return dialects.get(to)!.request.encode(request, { ...plainOptions, ...more });
}

function refusal(run: () => unknown): GatewayError {
  try {
    run();
  } catch (cause) {
    if (cause instanceof GatewayError) return cause;
    throw cause;
  }
  throw new Error('it was taken');
}

describe('a parameter that', () => {
  const strict = ['anthropic-messages', 'gemini-generate', 'cohere-chat', 'ollama-chat'] as const;

  test.each([
    ...strict.flatMap((to) => ['foo', 'chat_template_kwargs', 'guided_json'].map((name) => [to, name] as const)),
    ...([...strict, 'bedrock-converse', 'openai-responses'] as const).map((to) => [to, 'prediction'] as const),
    ...(['cohere-chat', 'ollama-chat'] as const).map((to) => [to, 'web_search_options'] as const),
    ['anthropic-messages', 'min_p'],
    ['cohere-chat', 'min_p'],
    ['gemini-generate', 'num_ctx'],
  ] as const)('%s does not know: %s', (to, name) => {
    const body = { [name]: { type: 'content' } };
    const error = refusal(() => sent(body, to));
    expect([error.code, error.details.param]).toEqual(['unsupported_parameter', name]);
    expect(error.message).toContain(`['${name}']`);
    expect(JSON.stringify(sent(body, to, { dropParams: true }))).not.toContain(name);
    expect(JSON.stringify(sent(body, to, { additionalDropParams: [name] }))).not.toContain(name);
    expect(JSON.stringify(sent(body, to, { allowedParams: [name] }))).toContain(name);
    expect(JSON.stringify(sent({ [name]: null }, to))).not.toContain(name);
  });

  test.each<[DialectName, JsonObject, JsonObject]>([
    ['anthropic-messages', { container: 'c', speed: 'fast' }, { container: 'c', speed: 'fast' }],
    ['gemini-generate', { cached_content: 'c', safety_settings: [] }, { cachedContent: 'c', safetySettings: [] }],
    ['gemini-generate', { image_config: { a: 1 } }, { generationConfig: { imageConfig: { a: 1 } } }],
    ['cohere-chat', { documents: ['d'], safety_mode: 'OFF' }, { documents: ['d'], safety_mode: 'OFF' }],
    ['ollama-chat', { num_ctx: 9, min_p: 0.1, keep_alive: 5 }, { options: { num_ctx: 9, min_p: 0.1 }, keep_alive: 5 }],
    ['openai-chat', { foo: 1 }, { foo: 1 }],
    ['bedrock-converse', { foo: 1 }, { additionalModelRequestFields: { foo: 1 } }],
  ])('%s knows goes to it: %j', (to, body, expected) => {
    expect(sent(body, to)).toMatchObject(expected);
  });

  test.each(['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini-generate'] as const)(
    'only Amazon has: %s',
    (to) => {
      const body = { messages: [{ role: 'user', content: [{ text: 'x' }] }], requestMetadata: { a: 'b' } };
      expect(JSON.stringify(sent(body, to, {}, 'bedrock-converse'))).not.toContain('requestMetadata');
      const guarded = { ...body, guardrailConfig: { guardrailIdentifier: 'g' } };
      expect(refusal(() => sent(guarded, to, {}, 'bedrock-converse')).details.param).toBe('guardrailConfig');
      expect(sent(guarded, 'bedrock-converse', {}, 'bedrock-converse')).toMatchObject(guarded);
    },
  );

  const targets = [...strict, 'bedrock-converse', 'openai-chat', 'openai-responses', 'openai-completions'] as const;
  test.each(targets)('would say the conversation over: %s', (to) => {
    const contents = [{ role: 'user', parts: [{ text: 'x' }] }];
    for (const name of ['messages', 'system', 'input', 'instructions', 'stream', 'chat_history']) {
      const body = { contents, [name]: ['smuggled'] };
      const error = refusal(() => sent(body, to, {}, 'gemini-generate'));
      expect(error.details.param).toBe(name);
      const dropped = sent(body, to, { dropParams: true, allowedParams: [name] }, 'gemini-generate');
      expect(JSON.stringify(dropped)).not.toContain('smuggled');
    }
    if (to === 'gemini-generate') return;
    const over = { messages: [{ role: 'user', content: 'x' }], contents: ['smuggled'] };
    expect(refusal(() => sent(over, to)).details.param).toBe('contents');
  });
});

test('top_k stands where each of Amazon’s families looks for it', () => {
  const fields = (model: string) => sent({ top_k: 5 }, 'bedrock-converse', { model }).additionalModelRequestFields;
  expect(fields('us.amazon.nova-pro-v1:0')).toEqual({ inferenceConfig: { topK: 5 } });
  expect(fields('anthropic.claude-sonnet-4')).toEqual({ top_k: 5 });
  expect(refusal(() => fields('meta.llama3-70b-instruct-v1:0')).details.param).toBe('top_k');
  const body = { messages: [{ role: 'user', content: [{ text: 'x' }] }] };
  const asked = { ...body, additionalModelRequestFields: { inferenceConfig: { topK: 5, odd: 1 }, more: 2 } };
  const read = dialects.get('bedrock-converse')!.request.decode(asked as JsonObject);
  expect(read).toMatchObject({ topK: 5, extra: { inferenceConfig: { odd: 1 }, more: 2 } });
});

describe('what is asked of tools', () => {
  const tools = [{ type: 'function', function: { name: 'look' } }];

  test.each<[DialectName, JsonObject, string]>([
    [
      'openai-chat',
      { tools, tool_choice: { type: 'function', function: { name: 'see' } } },
      'tool_choice: there is no tool "see" among the tools',
    ],
    ['openai-chat', { tool_choice: 'required' }, 'tool_choice: there are no tools to choose from'],
    ['openai-chat', { function_call: { name: 'see' } }, 'function_call: there is no tool "see" among the tools'],
    ['openai-chat', { function_call: 7 }, 'function_call: expected "auto"'],
    [
      'openai-responses',
      { input: 'x', tool_choice: { type: 'function', name: 'see' } },
      'tool_choice: there is no tool "see" among the tools',
    ],
    ['anthropic-messages', { tool_choice: { type: 'tool', name: 'see' } }, 'tool_choice: there is no tool "see"'],
    ['anthropic-messages', { tool_choice: { type: 'any' } }, 'tool_choice: there are no tools to choose from'],
    [
      'gemini-generate',
      { contents: [{ parts: [{ text: 'x' }] }], toolConfig: { functionCallingConfig: { mode: 'ANY' } } },
      'toolConfig.functionCallingConfig: there are no tools to choose from',
    ],
    [
      'bedrock-converse',
      { messages: [{ role: 'user', content: [{ text: 'x' }] }], toolConfig: { toolChoice: { any: {} } } },
      'toolConfig.toolChoice: there are no tools to choose from',
    ],
    ['openai-chat', { reasoning_effort: 'enormous' }, 'reasoning_effort: expected one of none, minimal, low'],
    ['openai-responses', { input: 'x', reasoning: { effort: 'enormous' } }, 'reasoning.effort: expected one of none'],
    ['ollama-chat', { think: 'enormous' }, 'think: expected one of none'],
    [
      'gemini-generate',
      {
        contents: [{ parts: [{ text: 'x' }] }],
        generationConfig: { thinkingConfig: { thinkingLevel: 'ENORMOUS' } },
      },
      'generationConfig.thinkingConfig.thinkingLevel: expected one of none',
    ],
  ])('in %s: %j', (from, body, message) => {
    expect(() => sent(body, 'cohere-chat', {}, from)).toThrow(message);
  });

  test.each<[DialectName, unknown]>([
    ['openai-chat', { tool_choice: 'required' }],
    ['openai-responses', { tool_choice: 'required' }],
    ['anthropic-messages', { tool_choice: { type: 'any' } }],
    ['cohere-chat', { tool_choice: 'REQUIRED' }],
    ['bedrock-converse', { toolConfig: { toolChoice: { any: {} } } }],
  ])('a caller of Gemini’s format makes a model of %s call one', (to, expected) => {
    const body = {
      contents: [{ parts: [{ text: 'x' }] }],
      tools: [{ functionDeclarations: [{ name: 'look' }] }],
      toolConfig: { functionCallingConfig: { mode: 'ANY' } },
    };
    expect(sent(body, to, {}, 'gemini-generate')).toMatchObject(expected as object);
  });

  test('Ollama has no choice: it is told, or left out with all tools but the chosen one', () => {
    const two = [...tools, { type: 'function', function: { name: 'see' } }];
    const chosen = { tools: two, tool_choice: { type: 'function', function: { name: 'see' } } } as JsonObject;
    expect(refusal(() => sent(chosen, 'ollama-chat')).details.param).toBe('tool_choice');
    const names = (body: JsonObject) =>
      (sent(body, 'ollama-chat', { dropParams: true }).tools as { function: JsonObject }[]).map(
        (one) => one.function.name,
      );
    expect(names(chosen)).toEqual(['see']);
    expect(names({ tools: two, tool_choice: 'required' })).toEqual(['look', 'see']);
    expect(names({ tools: two, tool_choice: 'none' })).toEqual([]);
  });

  test.each(['anthropic-messages', 'bedrock-converse'] as const)('%s wants objects as parameters', (to) => {
    const named = (parameters: unknown) =>
      ({ tools: [{ type: 'function', function: { name: 'look', parameters } }] }) as JsonObject;
    expect(JSON.stringify(sent(named({}), to))).toContain('{"type":"object","properties":{}}');
    expect(JSON.stringify(sent(named({ properties: { a: {} } }), to))).toContain(
      '{"type":"object","properties":{"a":{}}}',
    );
    const error = refusal(() => sent(named({ type: 'array' }), to));
    expect(error.message).toContain('tools whose parameters are no object: "look" has the type "array"');
    expect(error.details.param).toBe('tools');
  });
});

describe.each(['anthropic-messages', 'bedrock-converse'] as const)('turns for %s', (to) => {
  const user = (content: unknown) => ({ role: 'user', content });
  const asked = (id: string) => ({
    role: 'assistant',
    content: null,
    tool_calls: [{ id, type: 'function', function: { name: 'look', arguments: '{}' } }],
  });
  const result = (id: string) => ({ role: 'tool', tool_call_id: id, content: 'r' });
  const encoded = (messages: unknown[], more: Partial<EncodeOptions> = {}) =>
    sent({ messages } as JsonObject, to, more).messages as { role: string }[];

  test.each<[string, unknown[], string]>([
    ['nothing said', [user('')], 'conversations in which nobody says anything'],
    ['no content', [user([])], 'conversations in which nobody says anything'],
    ['a system text alone', [{ role: 'system', content: 'x' }], 'conversations in which nobody says anything'],
    [
      'a result without a call',
      [user('x'), result('a')],
      'the result of a tool call that is not in the message before it: "a"',
    ],
    [
      'a result of another call',
      [user('x'), asked('b'), result('a')],
      'a tool call whose result is not in the message after it: "b"',
    ],
    [
      'a result too late',
      [
        user('x'),
        asked('a'),
        { role: 'assistant', content: 'well' },
        user('and?'),
        { role: 'assistant', content: 'so' },
        result('a'),
      ],
      'a tool call whose result is not in the message after it: "a"',
    ],
    [
      'a call without a result',
      [user('x'), asked('a')],
      'a tool call whose result is not in the message after it: "a"',
    ],
  ])('%s', (_, messages, message) => {
    const error = refusal(() => encoded(messages));
    expect([error.code, error.details.param]).toEqual(['unsupported_parameter', 'messages']);
    expect(error.message).toContain(`the model does not support ${message}`);
  });

  test('what says nothing is left out, and its neighbours become one', () => {
    const messages = [user('a'), { role: 'assistant', content: '' }, user('b'), user([]), asked('c'), result('c')];
    expect(encoded(messages).map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
  });

  test('an assistant that begins', () => {
    const messages = [user(''), { role: 'assistant', content: 'x' }, user('y')];
    const roles = encoded(messages, { modifyParams: true }).map(({ role }) => role);
    expect(roles).toEqual(['user', 'assistant', 'user']);
    if (to === 'anthropic-messages') return;
    expect(() => encoded(messages)).toThrow('the model does not support conversations that begin with the assistant');
  });
});

test.each<[DialectName, JsonObject, string]>([
  ['gemini-generate', { contents: [{ parts: [{ hologram: {} }] }] }, 'content of type "hologram"'],
  ['gemini-generate', { contents: [{ parts: [{ a: 1 }] }] }, 'content of type "a"'],
  ['bedrock-converse', { messages: [{ role: 'user', content: [{}] }] }, 'content of type "nothing"'],
  [
    'anthropic-messages',
    { messages: [{ role: 'user', content: [{ type: 'hologram' }] }] },
    'content of type "hologram"',
  ],
])('content that only %s may know: %j', (from, body, message) => {
  expect(() => sent(body, 'openai-chat', {}, from)).toThrow(message);
});

test('a document in the place of an image goes as a document', () => {
  const messages = [{ role: 'user', content: [{ type: 'image_url', image_url: 'data:application/pdf;base64,AAAA' }] }];
  expect(sent({ messages }, 'anthropic-messages').messages).toEqual([
    {
      role: 'user',
      content: [{ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' } }],
    },
  ]);
});
