import fc from 'fast-check';
import { dialectContract } from '../../../test/contract/dialect.ts';
import {
  assistantContent,
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
import type { ContentBlock, NeutralMessage, NeutralRequest, NeutralResponse, VendorBlock } from '../../core/neutral.ts';
import { anthropicMessages } from './index.ts';

const media = fc.oneof(textBlock, imageBlock, fileBlock);
const toolResult = fc.record(
  {
    type: fc.constant('tool_result' as const),
    toolCallId: word,
    content: fc.array(media, { maxLength: 2 }),
    isError: fc.boolean(),
    cacheMark: fc.constant({ type: 'ephemeral' }),
  },
  { requiredKeys: ['type', 'toolCallId', 'content'] },
);
const vendorBlock = fc.constant<VendorBlock>({
  type: 'vendor',
  dialect: 'anthropic-messages',
  block: { type: 'search_result', source: 's', title: 't', content: [] },
});
const userContent = fc
  .tuple(fc.array(toolResult, { maxLength: 2 }), fc.array(fc.oneof(media, vendorBlock), { maxLength: 2 }))
  .map((groups): ContentBlock[] => groups.flat())
  .filter((content) => content.length > 0);
const messages = fc
  .array(fc.tuple(userContent, assistantContent), { minLength: 1, maxLength: 2 })
  .map((turns): NeutralMessage[] =>
    turns.flatMap(([user, assistant]) => [
      { role: 'user' as const, content: user },
      { role: 'assistant' as const, content: assistant },
    ]),
  );

const requests: fc.Arbitrary<NeutralRequest> = fc
  .record({
    model: word,
    stream: fc.boolean(),
    system: fc.array(textBlock, { maxLength: 2 }),
    messages,
    tools: fc.array(tool, { maxLength: 2 }),
    toolChoice: maybe(toolChoice),
    parallelToolCalls: maybe(fc.boolean()),
    maxOutputTokens: fc.integer({ min: 1, max: 100_000 }),
    temperature: maybe(number),
    topP: maybe(number),
    topK: maybe(whole),
    stop: fc.array(word, { maxLength: 3 }),
    responseFormat: maybe(
      fc.record({
        type: fc.constant('json_schema' as const),
        name: fc.constant('structured_output'),
        schema,
      }),
    ),
    reasoning: maybe(
      fc.oneof(
        fc.constantFrom({ mode: 'disabled' as const }, { mode: 'adaptive' as const, effort: 'high' }),
        fc.record({ mode: fc.constant('enabled' as const), budgetTokens: whole }),
      ),
    ),
    endUser: maybe(fc.uuid().map((id) => `user-${id}`)),
    serviceTier: maybe(fc.constantFrom('auto', 'standard_only')),
    extra,
  })
  .map((request) => {
    const isChoosing = request.tools.length > 0 && request.toolChoice !== undefined;
    return {
      ...plainRequest,
      ...request,
      includeUsageInStream: true,
      toolChoice: fittingChoice(request),
      parallelToolCalls: isChoosing ? request.parallelToolCalls : undefined,
    };
  });

const content = fc
  .tuple(
    fc.array(signedReasoning, { maxLength: 2 }),
    fc.array(word, { maxLength: 2 }).map((texts) => texts.map((text) => ({ type: 'text' as const, text }))),
    fc.array(toolCall, { maxLength: 2 }).map((calls) => calls.map(({ cacheMark: _mark, ...call }) => call)),
  )
  .map((groups): ContentBlock[] => groups.flat());

const responses: fc.Arbitrary<NeutralResponse> = fc
  .record({
    id: word,
    model: word,
    content,
    finishReason: fc.constantFrom('stop', 'length', 'tool_calls', 'content_filter', 'pause'),
    stopSequence: maybe(word),
    usage: usageOf([
      'inputTokens',
      'cacheReadTokens',
      'cacheWriteTokens',
      'cacheWriteLongTokens',
      'outputTokens',
      'reasoningTokens',
      'webSearchCalls',
    ]),
    extra,
  })
  .map(({ content: blocks, finishReason, stopSequence, ...response }) => ({
    ...response,
    createdAt: undefined,
    choices: [
      {
        index: 0,
        content: blocks,
        finishReason,
        ...(stopSequence === undefined || finishReason !== 'stop' ? {} : { stopSequence }),
      },
    ],
  })) as fc.Arbitrary<NeutralResponse>;

dialectContract({
  dialect: anthropicMessages,
  fixtures: new URL('fixtures/', import.meta.url),
  requests,
  responses,
  completeAtFinish: false,
});
