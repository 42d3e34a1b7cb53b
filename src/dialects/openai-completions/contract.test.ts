import fc from 'fast-check';
import { dialectContract } from '../../../test/contract/dialect.ts';
import {
  extra,
  maybe,
  number,
  plainRequest,
  usageOf,
  whole,
  word,
} from '../../../test/contract/neutral-arbitraries.ts';
import type { NeutralRequest, NeutralResponse } from '../../core/neutral.ts';
import { openaiCompletions } from './index.ts';

const requests: fc.Arbitrary<NeutralRequest> = fc
  .record({
    model: word,
    prompt: word,
    stream: fc.boolean(),
    maxOutputTokens: maybe(whole),
    temperature: maybe(number),
    stop: fc.array(word, { maxLength: 2 }),
    choices: maybe(fc.integer({ min: 1, max: 3 })),
    endUser: maybe(word),
    logprobs: maybe(fc.record({ topLogprobs: fc.nat(5) })),
    includeUsageInStream: fc.boolean(),
    extra,
  })
  .map(({ prompt, ...request }) => ({
    ...plainRequest,
    ...request,
    messages: [{ role: 'user' as const, content: [{ type: 'text' as const, text: prompt }] }],
  }));

const responses: fc.Arbitrary<NeutralResponse> = fc.record({
  id: word,
  model: word,
  createdAt: whole,
  choices: fc
    .array(fc.tuple(word, fc.constantFrom('stop' as const, 'length' as const)), { minLength: 1, maxLength: 3 })
    .map((choices) =>
      choices.map(([text, finishReason], index) => ({
        index,
        content: [{ type: 'text' as const, text }],
        finishReason,
      })),
    ),
  usage: maybe(usageOf(['inputTokens', 'cacheReadTokens', 'outputTokens'])),
  extra,
});

dialectContract({
  dialect: openaiCompletions,
  fixtures: new URL('fixtures/', import.meta.url),
  requests,
  responses,
  completeAtFinish: true,
});
