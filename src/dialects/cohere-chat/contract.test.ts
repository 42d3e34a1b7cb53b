import fc from 'fast-check';
import { dialectContract } from '../../../test/contract/dialect.ts';
import {
  extra,
  imageSource,
  maybe,
  number,
  plainRequest,
  schema,
  toolCall,
  usageOf,
  whole,
  word,
} from '../../../test/contract/neutral-arbitraries.ts';
import type { ContentBlock, NeutralMessage, NeutralRequest, NeutralResponse } from '../../core/neutral.ts';
import { cohereChat } from './index.ts';

const text = fc.record({ type: fc.constant('text' as const), text: word });
const thinking = word.map((said) => ({ type: 'reasoning' as const, text: said }));
const call = toolCall.map(({ cacheMark: _mark, ...rest }) => rest);
const user = fc.record({
  role: fc.constant('user' as const),
  content: fc.array(fc.oneof(text, fc.record({ type: fc.constant('image' as const), source: imageSource })), {
    minLength: 1,
    maxLength: 3,
  }),
});
/** Thinking with text, or a plan with calls. */
const said = fc.oneof(
  fc.tuple(fc.array(thinking, { maxLength: 1 }), fc.array(text, { minLength: 1, maxLength: 2 })),
  fc.tuple(fc.array(text, { maxLength: 1 }), fc.array(call, { minLength: 1, maxLength: 2 })),
) as fc.Arbitrary<[ContentBlock[], ContentBlock[]]>;
const assistant = said.map((groups) => ({ role: 'assistant' as const, content: groups.flat() }));
const results = fc.record({
  role: fc.constant('user' as const),
  content: fc.array(
    fc.record({
      type: fc.constant('tool_result' as const),
      toolCallId: word,
      content: fc.array(text, { minLength: 1, maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 2 },
  ),
});
const isResults = (message: NeutralMessage | undefined) => message?.content[0]?.type === 'tool_result';
const messages = fc
  .array(fc.oneof(user, assistant, results) as fc.Arbitrary<NeutralMessage>, { minLength: 1, maxLength: 4 })
  .map((list) => list.filter((message, index) => !(isResults(message) && isResults(list[index - 1]))));

const requests: fc.Arbitrary<NeutralRequest> = fc
  .record({
    model: word,
    stream: fc.boolean(),
    system: fc.array(text, { maxLength: 2 }),
    messages,
    tools: fc.array(
      fc.record({ name: word, description: word, parameters: schema }, { requiredKeys: ['name', 'parameters'] }),
      { maxLength: 2 },
    ),
    isStrict: fc.boolean(),
    toolChoice: maybe(fc.constantFrom({ type: 'required' as const }, { type: 'none' as const })),
    maxOutputTokens: maybe(fc.integer({ min: 1, max: 100_000 })),
    temperature: maybe(number),
    topP: maybe(number),
    topK: maybe(whole),
    stop: fc.array(word, { maxLength: 3 }),
    seed: maybe(whole),
    presencePenalty: maybe(number),
    frequencyPenalty: maybe(number),
    responseFormat: maybe(
      fc.oneof(
        fc.constantFrom({ type: 'text' as const }, { type: 'json_object' as const }),
        schema.map((shape) => ({ type: 'json_schema' as const, name: 'response', schema: shape })),
      ),
    ),
    reasoning: maybe(
      fc.constantFrom(
        { mode: 'disabled' as const },
        { mode: 'enabled' as const },
        { mode: 'enabled' as const, budgetTokens: 500 },
      ),
    ),
    logprobs: maybe(fc.constant({ topLogprobs: undefined })),
    extra,
  })
  .map(({ isStrict, ...request }) => ({
    ...plainRequest,
    ...request,
    includeUsageInStream: true,
    tools: isStrict ? request.tools.map((tool) => ({ ...tool, strict: true })) : request.tools,
    toolChoice: request.tools.length > 0 ? request.toolChoice : undefined,
  }));

const responses: fc.Arbitrary<NeutralResponse> = fc
  .record({
    id: word,
    content: said,
    finishReason: fc.constantFrom('stop', 'length', 'content_filter'),
    usage: maybe(usageOf(['inputTokens', 'cacheReadTokens', 'outputTokens'])),
    extra,
  })
  .map(({ content, finishReason, ...response }) => {
    const blocks = content.flat();
    const reason = blocks.some((block) => block.type === 'tool_call') ? 'tool_calls' : finishReason;
    return {
      ...response,
      model: '',
      createdAt: undefined,
      choices: [{ index: 0, content: blocks, finishReason: reason }],
    };
  }) as fc.Arbitrary<NeutralResponse>;

dialectContract({
  dialect: cohereChat,
  fixtures: new URL('fixtures/', import.meta.url),
  requests,
  responses,
  modelMember: null,
  keepsModel: true,
  completeAtFinish: false,
});
