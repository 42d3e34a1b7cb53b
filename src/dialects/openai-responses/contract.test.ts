import fc from 'fast-check';
import { dialectContract } from '../../../test/contract/dialect.ts';
import {
  base64,
  callArguments,
  extra,
  fittingChoice,
  imageSource,
  maybe,
  number,
  plainRequest,
  schema,
  toolChoice,
  usageOf,
  whole,
  word,
} from '../../../test/contract/neutral-arbitraries.ts';
import type { ContentBlock, NeutralMessage, NeutralRequest, NeutralResponse } from '../../core/neutral.ts';
import { customArguments, decodeCustomTool } from './custom-tools.ts';
import { openaiResponses } from './index.ts';

const text = fc.record({ type: fc.constant('text' as const), text: word });
const image = fc.record({ type: fc.constant('image' as const), source: imageSource, detail: fc.constant('high') });
const file = fc.record(
  {
    type: fc.constant('file' as const),
    source: fc.oneof(
      base64.map((data) => ({ kind: 'base64' as const, mediaType: 'application/pdf', base64: data })),
      fc.webUrl().map((url) => ({ kind: 'url' as const, url })),
      fc.uuid().map((id) => ({ kind: 'id' as const, id: `file-${id}` })),
    ),
    name: word,
  },
  { requiredKeys: ['type', 'source'] },
);
const audio = base64.map((data) => ({
  type: 'audio' as const,
  source: { kind: 'base64' as const, mediaType: 'audio/wav', base64: data },
  format: 'wav',
}));
/** What this format's provider wrote itself. */
const seal = fc.tuple(fc.stringMatching(/^rs_[a-z0-9]{4}$/), fc.stringMatching(/^gAAAA[A-Za-z0-9_=-]{4}$/));
const ownReasoning = fc.oneof(
  fc.tuple(word, seal).map(([summary, [id, encrypted]]) => ({
    type: 'reasoning' as const,
    text: summary,
    signature: `openai-responses:${id}:${encrypted}`,
  })),
  seal.map(([id, encrypted]) => ({
    type: 'reasoning' as const,
    text: '',
    redacted: `openai-responses:${id}:${encrypted}`,
  })),
);
const call = fc.record({ type: fc.constant('tool_call' as const), id: word, name: word, arguments: callArguments });
const customCall = fc.tuple(fc.uuid(), word, word).map(([id, name, input]) => ({
  type: 'tool_call' as const,
  id,
  name,
  arguments: customArguments(input),
  custom: true as const,
}));
const vendor = fc.constant({
  type: 'vendor' as const,
  dialect: 'openai-responses',
  block: { type: 'web_search_call', id: 'ws_1', status: 'completed' },
});

const user = fc.record({
  role: fc.constant('user' as const),
  content: fc.array(fc.oneof(text, image, file, audio), { minLength: 1, maxLength: 3 }),
});
const assistant = fc.record({
  role: fc.constant('assistant' as const),
  content: fc.array(fc.oneof(text, ownReasoning, call, customCall, vendor), { minLength: 1, maxLength: 4 }),
});
const results = fc.record({
  role: fc.constant('user' as const),
  content: fc.array(
    fc.record({
      type: fc.constant('tool_result' as const),
      toolCallId: word,
      content: fc.array(fc.oneof(text, image), { minLength: 1, maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 2 },
  ),
});
/** Items of one kind that follow each other belong together, so that messages of them alternate. */
const kindOf = (message: NeutralMessage | undefined) =>
  message?.role === 'assistant' ? 'assistant' : message?.content[0]?.type === 'tool_result' ? 'results' : undefined;
const messages = fc
  .array(fc.oneof(user, assistant, results) as fc.Arbitrary<NeutralMessage>, { minLength: 1, maxLength: 4 })
  .map((list) =>
    list.filter((message, index) => kindOf(message) === undefined || kindOf(message) !== kindOf(list[index - 1])),
  );

const tools = fc.array(
  fc.oneof(
    fc.record(
      { name: word, description: word, parameters: schema, strict: fc.boolean() },
      { requiredKeys: ['name', 'parameters', 'strict'] },
    ),
    fc
      .record({ type: fc.constant('custom'), name: word, description: word }, { requiredKeys: ['type', 'name'] })
      .map(decodeCustomTool),
  ),
  { maxLength: 2 },
);

const requests: fc.Arbitrary<NeutralRequest> = fc
  .record({
    model: word,
    stream: fc.boolean(),
    system: fc.array(text, { maxLength: 2 }),
    messages,
    tools,
    toolChoice: maybe(toolChoice),
    parallelToolCalls: maybe(fc.boolean()),
    maxOutputTokens: maybe(fc.integer({ min: 1, max: 100_000 })),
    temperature: maybe(number),
    topP: maybe(number),
    responseFormat: maybe(
      fc.oneof(
        fc.constantFrom({ type: 'text' as const }, { type: 'json_object' as const }),
        fc.record(
          { type: fc.constant('json_schema' as const), name: word, schema, strict: fc.boolean(), description: word },
          { requiredKeys: ['type', 'name', 'schema'] },
        ),
      ),
    ),
    reasoning: maybe(fc.constantFrom({ effort: 'low' }, { effort: 'high', summary: 'auto' }, { summary: 'detailed' })),
    endUser: maybe(word),
    logprobs: maybe(fc.record({ topLogprobs: maybe(fc.nat(5)) })),
    serviceTier: maybe(fc.constantFrom('auto', 'flex')),
    extra,
  })
  .map((request) => ({
    ...plainRequest,
    ...request,
    includeUsageInStream: true,
    toolChoice: fittingChoice(request),
    parallelToolCalls: request.tools.length > 0 ? request.parallelToolCalls : undefined,
  }));

const content = fc.array(
  fc.oneof(
    text,
    fc.record({ type: fc.constant('refusal' as const), text: word }),
    ownReasoning,
    fc.record({ type: fc.constant('reasoning' as const), text: word, signature: word }),
    fc.record({ type: fc.constant('reasoning' as const), text: fc.constant(''), redacted: word }),
    call,
    customCall,
    vendor,
  ) as fc.Arbitrary<ContentBlock>,
  { maxLength: 4 },
);
const responses: fc.Arbitrary<NeutralResponse> = fc
  .record({
    id: word,
    model: word,
    createdAt: whole,
    content,
    finishReason: fc.constantFrom('stop', 'length', 'content_filter'),
    usage: usageOf([
      'inputTokens',
      'cacheReadTokens',
      'cacheWriteTokens',
      'cacheWriteLongTokens',
      'inputAudioTokens',
      'inputImageTokens',
      'outputTokens',
      'reasoningTokens',
      'outputAudioTokens',
    ]),
    extra,
  })
  .map(({ content: blocks, finishReason, usage, ...response }) => {
    const isCalling = blocks.some((block) => block.type === 'tool_call');
    return {
      ...response,
      usage: { ...usage, webSearchCalls: blocks.filter((block) => block.type === 'vendor').length },
      choices: [
        { index: 0, content: blocks, finishReason: finishReason === 'stop' && isCalling ? 'tool_calls' : finishReason },
      ],
    };
  }) as fc.Arbitrary<NeutralResponse>;

dialectContract({
  dialect: openaiResponses,
  fixtures: new URL('fixtures/', import.meta.url),
  requests,
  responses,
  completeAtFinish: false,
});
