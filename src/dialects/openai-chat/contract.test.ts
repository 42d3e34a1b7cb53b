import fc from 'fast-check';
import { dialectContract } from '../../../test/contract/dialect.ts';
import {
  assistantContent,
  base64,
  extra,
  fileBlock,
  fittingChoice,
  imageBlock,
  maybe,
  number,
  plainRequest,
  schema,
  signedReasoning,
  textBlock,
  tool,
  toolCall,
  toolChoice,
  usageOf,
  whole,
  word,
} from '../../../test/contract/neutral-arbitraries.ts';
import type { ContentBlock, NeutralMessage, NeutralRequest, NeutralResponse } from '../../core/neutral.ts';
import { openaiChat } from './index.ts';

const audioBlock = base64.map((data) => ({
  type: 'audio' as const,
  source: { kind: 'base64' as const, mediaType: 'audio/wav', base64: data },
  format: 'wav',
}));
const userMessage = fc.record(
  {
    role: fc.constant('user' as const),
    name: word,
    content: fc.array(fc.oneof(textBlock, imageBlock, fileBlock, audioBlock), { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: ['role', 'content'] },
);
const assistantMessage = fc.record({ role: fc.constant('assistant' as const), content: assistantContent });
const toolMessage = fc.record({
  role: fc.constant('user' as const),
  content: fc.array(
    fc.record({
      type: fc.constant('tool_result' as const),
      toolCallId: word,
      content: fc.array(fc.oneof(textBlock, imageBlock), { minLength: 1, maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 2 },
  ),
});
const isToolMessage = (message: NeutralMessage | undefined) => message?.content[0]?.type === 'tool_result';
const messages = fc
  .array(fc.oneof(userMessage, assistantMessage, toolMessage) as fc.Arbitrary<NeutralMessage>, {
    minLength: 1,
    maxLength: 4,
  })
  .map((list) => list.filter((message, index) => !(isToolMessage(message) && isToolMessage(list[index - 1]))));

const requests: fc.Arbitrary<NeutralRequest> = fc
  .record({
    model: word,
    stream: fc.boolean(),
    system: fc.array(textBlock, { maxLength: 2 }),
    messages,
    tools: fc.array(tool, { maxLength: 2 }),
    toolChoice: maybe(toolChoice),
    parallelToolCalls: maybe(fc.boolean()),
    maxOutputTokens: maybe(fc.integer({ min: 1, max: 100_000 })),
    temperature: maybe(number),
    topP: maybe(number),
    topK: maybe(whole),
    stop: fc.array(word, { maxLength: 3 }),
    seed: maybe(whole),
    choices: maybe(fc.integer({ min: 1, max: 4 })),
    presencePenalty: maybe(number),
    frequencyPenalty: maybe(number),
    responseFormat: maybe(
      fc.oneof(
        fc.constantFrom({ type: 'text' as const }, { type: 'json_object' as const }),
        fc.record(
          { type: fc.constant('json_schema' as const), name: word, schema, strict: fc.boolean(), description: word },
          { requiredKeys: ['type', 'name', 'schema'] },
        ),
      ),
    ),
    reasoning: maybe(
      fc.oneof(
        fc.constantFrom({ effort: 'low' }, { effort: 'high' }, { mode: 'adaptive' as const }),
        fc.record({ mode: fc.constant('enabled' as const), budgetTokens: whole }),
      ),
    ),
    endUser: maybe(word),
    logprobs: maybe(fc.record({ topLogprobs: maybe(fc.nat(5)) })),
    serviceTier: maybe(fc.constantFrom('auto', 'flex')),
    includeUsageInStream: fc.boolean(),
    extra,
  })
  .map((request) => ({
    ...plainRequest,
    ...request,
    toolChoice: fittingChoice(request),
    parallelToolCalls: request.tools.length > 0 ? request.parallelToolCalls : undefined,
  }));

const content = fc
  .tuple(
    fc.oneof(
      fc.array(signedReasoning, { maxLength: 2 }),
      fc.tuple(fc.record({ type: fc.constant('reasoning' as const), text: word })),
    ),
    fc.array(word, { maxLength: 1 }).map((texts) => texts.map((text) => ({ type: 'text' as const, text }))),
    fc.array(toolCall, { maxLength: 2 }).map((calls) => calls.map(({ cacheMark: _mark, ...call }) => call)),
  )
  .map((groups): ContentBlock[] => groups.flat());

const responses: fc.Arbitrary<NeutralResponse> = fc.record({
  id: word,
  model: word,
  createdAt: whole,
  choices: fc
    .array(fc.record({ content, finishReason: fc.constantFrom('stop', 'length', 'content_filter') }), {
      minLength: 1,
      maxLength: 2,
    })
    .map((choices) =>
      choices.map(({ content: blocks, finishReason }, index) => ({
        index,
        content: blocks,
        finishReason: blocks.some((block) => block.type === 'tool_call') ? 'tool_calls' : finishReason,
      })),
    ) as fc.Arbitrary<NeutralResponse['choices']>,
  usage: maybe(
    usageOf([
      'inputTokens',
      'cacheReadTokens',
      'cacheWriteTokens',
      'cacheWriteLongTokens',
      'inputAudioTokens',
      'inputImageTokens',
      'outputTokens',
      'reasoningTokens',
      'outputAudioTokens',
      'webSearchCalls',
    ]),
  ),
  extra,
});

dialectContract({
  dialect: openaiChat,
  fixtures: new URL('fixtures/', import.meta.url),
  requests,
  responses,
  completeAtFinish: true,
});
