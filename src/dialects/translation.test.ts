import { describe, expect, test } from 'vitest';
import { decodeAll, plainAnswer, plainOptions, readStreams } from '../../test/contract/dialect.ts';
import { type BlockSummary, type StreamSummary, summarize } from '../../test/contract/stream-summary.ts';
import type { Dialect } from '../core/dialect.ts';
import type { JsonObject } from '../core/json.ts';
import { anthropicMessages } from './anthropic-messages/index.ts';
import { openaiChat } from './openai-chat/index.ts';
import { openaiCompletions } from './openai-completions/index.ts';

/** Options of a provider that knows nothing beyond its own format. */
const strict = {
  ...plainOptions,
  traits: { ...plainOptions.traits, anthropicExtensions: false, adaptiveThinking: false },
};
const translate = (from: Dialect, to: Dialect, body: JsonObject, options = {}) =>
  to.request.encode(from.request.decode(body), { ...strict, model: 'up', ...options });

const weather = { type: 'object', properties: { city: { type: 'string' } } };

describe('a chat request to a provider of messages', () => {
  const toMessages = (body: JsonObject, options = {}) =>
    translate(openaiChat, anthropicMessages, { messages: [{ role: 'user', content: 'Hi' }], ...body }, options);

  test('a whole conversation', () => {
    const body = toMessages({
      model: 'asked',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'developer', content: [{ type: 'text', text: 'Cached.', cache_control: { type: 'ephemeral' } }] },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'high' } },
          ],
        },
        {
          role: 'assistant',
          content: 'Let me see.',
          reasoning_content: 'not replayed',
          thinking_blocks: [
            { type: 'thinking', thinking: 'hm', signature: 'sig' },
            { type: 'redacted_thinking', data: 'xyz' },
          ],
          tool_calls: [
            { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
            { id: 'c2', type: 'function', function: { name: 'now', arguments: '' } },
          ],
        },
        { role: 'tool', tool_call_id: 'c1', content: '3 degrees' },
        { role: 'tool', tool_call_id: 'c2', content: [{ type: 'text', text: 'noon' }] },
        { role: 'user', content: 'And?' },
        { role: 'assistant', content: 'It is  ' },
      ],
      tools: [
        {
          type: 'function',
          function: { name: 'weather', description: 'd', parameters: weather },
          cache_control: { type: 'ephemeral' },
        },
        { type: 'function', function: { name: 'now' } },
        { type: 'web_search_20250305', name: 'web_search', max_uses: 2 },
      ],
      tool_choice: 'required',
      parallel_tool_calls: false,
      stop: 'END',
      max_completion_tokens: 99,
      user: 'u-1',
      top_k: 5,
      inference_geo: 'eu',
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(body).toEqual({
      model: 'up',
      max_tokens: 99,
      system: [
        { type: 'text', text: 'Be brief.' },
        { type: 'text', text: 'Cached.', cache_control: { type: 'ephemeral' } },
      ],
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
            { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: 'sig' },
            { type: 'redacted_thinking', data: 'xyz' },
            { type: 'text', text: 'Let me see.' },
            { type: 'tool_use', id: 'c1', name: 'weather', input: { city: 'Oslo' } },
            { type: 'tool_use', id: 'c2', name: 'now', input: {} },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'c1', content: '3 degrees' },
            { type: 'tool_result', tool_use_id: 'c2', content: 'noon' },
            { type: 'text', text: 'And?' },
          ],
        },
        { role: 'assistant', content: [{ type: 'text', text: 'It is' }] },
      ],
      tools: [
        { name: 'weather', description: 'd', input_schema: weather, cache_control: { type: 'ephemeral' } },
        { name: 'now', input_schema: { type: 'object', properties: {} } },
        { type: 'web_search_20250305', name: 'web_search', max_uses: 2 },
      ],
      tool_choice: { type: 'any', disable_parallel_tool_use: true },
      stop_sequences: ['END'],
      metadata: { user_id: 'u-1' },
      top_k: 5,
      inference_geo: 'eu',
      stream: true,
    });
  });

  test('the cap on output is always written', () => {
    expect(toMessages({}).max_tokens).toBe(4096);
    expect(toMessages({}, { defaults: { max_tokens: 700 } }).max_tokens).toBe(700);
    expect(toMessages({ max_tokens: 900 }, { maxOutputTokensClamp: 300 }).max_tokens).toBe(300);
  });

  test('reasoning effort is a budget below the cap, or left to the model', () => {
    const thinking = (body: JsonObject, options = {}) => toMessages(body, options).thinking;
    expect(thinking({ reasoning_effort: 'high', max_tokens: 9000 })).toEqual({ type: 'enabled', budget_tokens: 4096 });
    expect(thinking({ reasoning_effort: 'minimal', max_tokens: 9000 })).toEqual({
      type: 'enabled',
      budget_tokens: 1024,
    });
    expect(thinking({ reasoning_effort: 'high', max_tokens: 2000 })).toEqual({ type: 'enabled', budget_tokens: 1999 });
    expect(thinking({ reasoning_effort: 'high', max_tokens: 500 })).toBeUndefined();
    expect(thinking({ reasoning_effort: 'none' })).toBeUndefined();
    const adaptive = { ...strict, traits: { ...strict.traits, adaptiveThinking: true } };
    expect(toMessages({ reasoning_effort: 'minimal' }, adaptive)).toMatchObject({
      thinking: { type: 'adaptive' },
      output_config: { effort: 'low' },
    });
    expect(thinking({ thinking: { type: 'enabled', budget_tokens: 2000 } })).toEqual({
      type: 'enabled',
      budget_tokens: 2000,
    });
  });

  test('a schema is native or a tool that must be called', () => {
    const format = { response_format: { type: 'json_schema', json_schema: { name: 'w', schema: weather } } };
    expect(toMessages(format)).toMatchObject({ output_config: { format: { type: 'json_schema', schema: weather } } });
    const emulated = { traits: { ...strict.traits, supportsJsonSchema: false } };
    expect(toMessages(format, emulated)).toMatchObject({
      tools: [{ name: 'json_tool_call', input_schema: weather }],
      tool_choice: { type: 'tool', name: 'json_tool_call' },
    });
    const tools = [{ type: 'function', function: { name: 'now' } }];
    expect(toMessages({ ...format, tools }, emulated).tool_choice).toEqual({ type: 'any' });
  });

  test('people are not told apart by their address', () => {
    expect(toMessages({ user: 'a@example.com' }).metadata).toBeUndefined();
    expect(toMessages({ user: '+47 22 33 44 55' }).metadata).toBeUndefined();
    expect(toMessages({ user: '42' }).metadata).toEqual({ user_id: '42' });
  });

  test('what the format lacks is refused by name, or dropped', () => {
    const body = { seed: 1, logit_bias: { 5: 1 }, n: 2 };
    expect(() => toMessages(body)).toThrow("['logit_bias', 'seed', 'n']");
    expect(toMessages(body, { dropParams: true })).not.toHaveProperty('seed');
    expect(toMessages(body, { additionalDropParams: ['seed', 'n', 'logit_bias'] })).not.toHaveProperty('logit_bias');
    expect(toMessages({ n: 1, frequency_penalty: 0, logprobs: false, store: false })).not.toHaveProperty('store');
    const audio = [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'AA', format: 'wav' } }] }];
    expect(() => toMessages({ messages: audio }, { dropParams: true })).toThrow('audio');
    const calls = [
      { role: 'assistant', tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{' } }] },
    ];
    expect(() => toMessages({ messages: calls })).toThrow('"c"');
  });
});

describe('a messages request to a provider of chat', () => {
  const toChat = (body: JsonObject, options = {}) =>
    translate(
      anthropicMessages,
      openaiChat,
      { max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }], ...body },
      options,
    );

  test('a whole conversation', () => {
    const body = toChat(
      {
        system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Look' },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
            ],
          },
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 'hm', signature: 'sig' },
              { type: 'text', text: 'Calling.' },
              { type: 'tool_use', id: 't1', name: 'weather', input: { city: 'Oslo' } },
            ],
          },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'after' },
              { type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: '3' }] },
            ],
          },
        ],
        tools: [{ name: 'weather', input_schema: weather, cache_control: { type: 'ephemeral' } }],
        tool_choice: { type: 'any', disable_parallel_tool_use: true },
        stop_sequences: ['END'],
        metadata: { user_id: 'u-1' },
        output_config: { format: { type: 'json_schema', schema: weather } },
        context_management: { edits: [] },
        stream: true,
      },
      { usageInStream: 'stream_options' },
    );
    expect(body).toEqual({
      model: 'up',
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          ],
        },
        {
          role: 'assistant',
          content: 'Calling.',
          tool_calls: [{ id: 't1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } }],
        },
        { role: 'tool', tool_call_id: 't1', content: '3' },
        { role: 'user', content: 'after' },
      ],
      stream: true,
      stream_options: { include_usage: true },
      tools: [{ type: 'function', function: { name: 'weather', parameters: weather } }],
      tool_choice: 'required',
      parallel_tool_calls: false,
      max_tokens: 100,
      stop: ['END'],
      response_format: { type: 'json_schema', json_schema: { name: 'structured_output', schema: weather } },
      user: 'u-1',
    });
  });

  test('a thinking budget becomes an effort where the model reasons', () => {
    const reasoning = { traits: { ...strict.traits, reasoningModel: true } };
    const effort = (tokens: number) =>
      toChat({ thinking: { type: 'enabled', budget_tokens: tokens } }, reasoning).reasoning_effort;
    expect([500, 2000, 5000, 10_000].map(effort)).toEqual(['minimal', 'low', 'medium', 'high']);
    const unable = toChat({ thinking: { type: 'enabled', budget_tokens: 5000 } });
    expect(unable).not.toHaveProperty('reasoning_effort');
    expect(unable).not.toHaveProperty('thinking');
    expect(toChat({}, reasoning)).toMatchObject({ max_completion_tokens: 100 });
  });

  test('tools and servers that only the other side has are refused by name', () => {
    expect(() => toChat({ tools: [{ type: 'web_search_20250305', name: 'web_search' }] })).toThrow('web_search');
    expect(() => toChat({ mcp_servers: [{}] })).toThrow('mcp_servers');
  });
});

test('a text prompt becomes one message, and its answer a text', () => {
  const body = translate(openaiCompletions, openaiChat, { prompt: ['Say hi'], max_tokens: 5, logprobs: null });
  expect(body).toEqual({ model: 'up', messages: [{ role: 'user', content: 'Say hi' }], max_tokens: 5 });
  expect(() => translate(openaiCompletions, openaiChat, { prompt: ['a', 'b'] })).toThrow('prompt: ');
  expect(() => translate(openaiCompletions, openaiChat, { prompt: [1, 2] })).toThrow('prompt: ');
  expect(() => translate(openaiCompletions, anthropicMessages, { prompt: 'a', echo: true })).toThrow('echo');
  expect(() =>
    translate(anthropicMessages, openaiCompletions, { system: 's', messages: [{ role: 'user', content: 'x' }] }),
  ).toThrow('conversations');
});

test('an answer of messages read as chat', () => {
  const answer = openaiChat.response.encode(
    anthropicMessages.response.decode({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude',
      content: [
        { type: 'thinking', thinking: 'hm', signature: 'sig' },
        { type: 'text', text: 'Hello ' },
        { type: 'text', text: 'you' },
        { type: 'tool_use', id: 't1', name: 'f', input: { a: 1 } },
      ],
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: {
        input_tokens: 10,
        cache_creation_input_tokens: 5,
        cache_read_input_tokens: 7,
        cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 2 },
        output_tokens: 9,
      },
    }),
    { ...plainAnswer, model: 'asked' },
  );
  expect(answer).toMatchObject({
    id: 'msg_1',
    object: 'chat.completion',
    model: 'asked',
    choices: [
      {
        message: {
          content: 'Hello you',
          reasoning_content: 'hm',
          thinking_blocks: [{ type: 'thinking', thinking: 'hm', signature: 'sig' }],
          tool_calls: [{ id: 't1', type: 'function', function: { name: 'f', arguments: '{"a":1}' }, index: 0 }],
        },
        finish_reason: 'tool_calls',
      },
    ],
    usage: {
      prompt_tokens: 22,
      completion_tokens: 9,
      total_tokens: 31,
      prompt_tokens_details: {
        cached_tokens: 7,
        cache_creation_tokens: 5,
        cache_creation_token_details: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 2 },
      },
      cache_read_input_tokens: 7,
    },
  });
});

test('a chat answer read as a message', () => {
  const answer = anthropicMessages.response.encode(
    openaiChat.response.decode({
      id: 'chatcmpl-1',
      created: 1,
      model: 'm',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Hi',
            reasoning_content: 'hm',
            tool_calls: [{ id: 'c', function: { name: 'f', arguments: '{"a":1}' } }],
          },
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14, prompt_tokens_details: { cached_tokens: 4 } },
      system_fingerprint: 'fp',
    }),
    plainAnswer,
  );
  expect(answer).toEqual({
    id: 'chatcmpl-1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [
      { type: 'thinking', thinking: 'hm', signature: '' },
      { type: 'text', text: 'Hi' },
      { type: 'tool_use', id: 'c', name: 'f', input: { a: 1 } },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: { input_tokens: 6, cache_creation_input_tokens: 0, cache_read_input_tokens: 4, output_tokens: 4 },
  });
});

const folders = [
  [openaiChat, 'openai-chat/fixtures/'],
  [openaiCompletions, 'openai-completions/fixtures/'],
  [anthropicMessages, 'anthropic-messages/fixtures/'],
] as const;
const streams = folders.flatMap(([from, folder]) =>
  readStreams(new URL(folder, import.meta.url)).map((stream) => ({
    from,
    ...stream,
    name: `${from.name} ${stream.name}`,
  })),
);

describe.each([openaiChat, anthropicMessages])('streams as $name', (to) => {
  test.each(streams)('$name', ({ from, bytes, expected }) => {
    const encoder = to.streamEncoder({ ...plainAnswer, model: 'asked' });
    const text = decodeAll(from, [bytes])
      .map((part) => encoder.encode(part))
      .join('');
    const parts = decodeAll(to, [Buffer.from(text)]);
    const said = summarize(parts);
    const isOneChoice = to === anthropicMessages;
    expect(said.ending).toBe(expected!.ending === 'error' ? 'open' : 'complete');
    if (expected!.ending === 'error') return;
    expect(common(said, isOneChoice)).toEqual(common(expected!, isOneChoice));
    expect(sourcesIn(said)).toBe(sourcesIn(expected!));
    expect(parts.find((part) => part.type === 'start')).toMatchObject({ model: 'asked' });
    if (isOneChoice) expectOrderly(text);
  });
});

/** What both formats can say of a stream. */
function common(summary: StreamSummary, isOneChoice: boolean): unknown {
  const choices = (isOneChoice ? summary.choices.slice(0, 1) : summary.choices).map((choice) => ({
    ...choice,
    finish: choice.finish === 'pause' ? 'stop' : choice.finish,
    blocks: mergedTexts(choice.blocks),
  }));
  const { providerCost: _cost, ...usage } = summary.usage ?? {};
  const isSilent = summary.usage === null || (summary.usage.inputTokens === 0 && summary.usage.outputTokens === 0);
  return { choices, usage: isSilent ? null : usage };
}

function sourcesIn({ choices }: StreamSummary): number {
  return choices.flatMap(({ blocks }) => blocks.flatMap(({ annotations }) => annotations ?? [])).length;
}

function mergedTexts(blocks: readonly BlockSummary[]): BlockSummary[] {
  const merged: BlockSummary[] = [];
  // Each format tells sources in a form and at a place of its own.
  for (const { events: _events, annotations: _annotations, ...block } of blocks) {
    if (block.kind === 'vendor') continue;
    const kind = block.kind === 'refusal' ? 'text' : block.kind;
    const last = merged.at(-1);
    if (kind === 'text' && last?.kind === 'text') last.text! += block.text!;
    else merged.push({ ...block, kind });
  }
  return merged;
}

/** One start, blocks one after the other numbered from 0, one stop with the usage, one end; every event has its name. */
function expectOrderly(text: string): void {
  let open: number | null = null;
  let next = 0;
  const types: string[] = [];
  for (const event of text.trimEnd().split('\n\n')) {
    const [name, data] = event.split('\n') as [string, string];
    const payload = JSON.parse(data.slice('data: '.length)) as { type: string; index?: number };
    expect(name).toBe(`event: ${payload.type}`);
    if (payload.type === 'content_block_start') {
      expect([open, payload.index]).toEqual([null, next]);
      open = next;
    } else if (payload.type === 'content_block_stop') {
      expect(payload.index).toBe(open);
      open = null;
      next += 1;
    } else if (payload.type === 'content_block_delta') expect(payload.index).toBe(open);
    types.push(payload.type);
  }
  expect(types[0]).toBe('message_start');
  expect(types.slice(-2)).toEqual(['message_delta', 'message_stop']);
  expect(types.filter((type) => type === 'message_start' || type === 'message_delta')).toHaveLength(2);
}

test('reasoning, text, a call and late usage come in the order that clients expect', () => {
  const chunk = (choices: unknown[], more = {}) =>
    `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices, ...more })}\n\n`;
  const delta = (value: object, reason: string | null = null) => [{ index: 0, delta: value, finish_reason: reason }];
  const stream =
    chunk(delta({ role: 'assistant', reasoning_content: 'hm' })) +
    chunk(delta({ content: 'text' })) +
    chunk(delta({ tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '{"a":1}' } }] }, 'tool_calls')) +
    chunk([], { usage: { prompt_tokens: 5, completion_tokens: 6, total_tokens: 11 } }) +
    'data: [DONE]\n\n';
  const encoder = anthropicMessages.streamEncoder(plainAnswer);
  const text = decodeAll(openaiChat, [Buffer.from(stream)])
    .map((part) => encoder.encode(part))
    .join('');
  const events = [...text.matchAll(/^event: (.*)$/gm)].map((match) => match[1]);
  const block = ['content_block_start', 'content_block_delta', 'content_block_stop'];
  expect(events).toEqual(['message_start', ...block, ...block, ...block, 'message_delta', 'message_stop']);
  expect(text).toContain(
    '"delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":6}',
  );
});
