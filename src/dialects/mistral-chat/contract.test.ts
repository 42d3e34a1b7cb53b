import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dialectContract, plainAnswer } from '../../../test/contract/dialect.ts';
import {
  extra,
  fittingChoice,
  imageBlock,
  maybe,
  number,
  plainRequest,
  textBlock,
  tool,
  toolCall,
  toolChoice,
  usageOf,
  whole,
  word,
} from '../../../test/contract/neutral-arbitraries.ts';
import { GatewayError } from '../../core/errors.ts';
import type { ContentBlock, NeutralRequest, NeutralResponse } from '../../core/neutral.ts';
import { noUsage as plainUsage } from '../../core/usage.ts';
import { encodedParts } from '../../gateway/streams/translated-stream.ts';
import { mistralChat } from './index.ts';

const thoughts = fc.array(fc.record({ type: fc.constant('reasoning' as const), text: word, signature: word }), {
  maxLength: 2,
});
const unmarked = toolCall.map(({ cacheMark: _mark, ...call }) => call);
const said = fc
  .tuple(thoughts, fc.array(word, { maxLength: 1 }), fc.array(unmarked, { maxLength: 2 }))
  .map(([thinking, texts, calls]): ContentBlock[] => [
    ...thinking,
    ...texts.map((text) => ({ type: 'text' as const, text })),
    ...calls,
  ]);

const requests: fc.Arbitrary<NeutralRequest> = fc
  .record({
    model: word,
    stream: fc.boolean(),
    system: fc.array(textBlock, { maxLength: 2 }),
    messages: fc.array(
      fc.oneof(
        fc.record({
          role: fc.constant('user' as const),
          content: fc.array(fc.oneof(textBlock, imageBlock), { minLength: 1, maxLength: 2 }),
        }),
        fc.record({ role: fc.constant('assistant' as const), content: said.filter((content) => content.length > 0) }),
      ),
      { minLength: 1, maxLength: 4 },
    ),
    tools: fc.array(tool, { maxLength: 2 }),
    toolChoice: maybe(toolChoice),
    maxOutputTokens: maybe(fc.integer({ min: 1, max: 100_000 })),
    temperature: maybe(number),
    topP: maybe(number),
    stop: fc.array(word, { maxLength: 3 }),
    seed: maybe(whole),
    choices: maybe(fc.integer({ min: 1, max: 4 })),
    presencePenalty: maybe(number),
    frequencyPenalty: maybe(number),
    extra,
  })
  .map((request) => ({
    ...plainRequest,
    ...request,
    toolChoice: fittingChoice(request),
    includeUsageInStream: true,
  }));

const responses: fc.Arbitrary<NeutralResponse> = fc.record({
  id: word,
  model: word,
  createdAt: whole,
  choices: fc.tuple(said, fc.constantFrom('stop', 'length')).map(([content, finishReason]) => [
    {
      index: 0,
      // Thoughts without a signature run together.
      content: content
        .filter((block, at) => block.type !== 'reasoning' || at === 0)
        .map((block) => (block.type === 'reasoning' ? { type: block.type, text: block.text } : block)),
      finishReason: content.some((block) => block.type === 'tool_call') ? 'tool_calls' : finishReason,
    },
  ]) as fc.Arbitrary<NeutralResponse['choices']>,
  usage: maybe(usageOf(['inputTokens', 'outputTokens'])),
  extra,
});

dialectContract({
  dialect: mistralChat,
  fixtures: new URL('fixtures/', import.meta.url),
  requests,
  responses,
  completeAtFinish: true,
});

test('what it says in other words than OpenAI', () => {
  const messages = [{ role: 'user', content: 'Hello' }];
  const tools = [{ type: 'function', function: { name: 'look' } }];
  const request = mistralChat.request.decode({ model: 'm', messages, random_seed: 7, tools, tool_choice: 'any' });
  expect(request).toMatchObject({ seed: 7, toolChoice: { type: 'required' }, extra: {} });
  expect(() => mistralChat.inspect({ model: 'm', messages, random_seed: 'x' })).toThrow(
    /^random_seed: expected a number/,
  );
  const seed = new GatewayError('unsupported_parameter', "No: ['seed'].", { param: 'seed' });
  expect(mistralChat.errors.encode(seed, 'r')).toMatchObject({ message: "No: ['random_seed'].", param: 'random_seed' });
  expect(mistralChat.errors.encode(new GatewayError('malformed_request', 'No.', { param: 'top_p' }), 'r')).toEqual({
    object: 'error',
    message: 'No.',
    type: 'invalid_request_error',
    param: 'top_p',
    code: '400',
  });
});

test('calls come whole, and usage comes with the reason of the end', () => {
  const bytes = encodedParts(mistralChat.streamEncoder({ ...plainAnswer, usageInStream: false }), [
    { type: 'start', id: 'a', model: 'm', createdAt: 1 },
    { type: 'tool-call-start', choice: 0, block: 0, id: 'c', name: 'f' },
    { type: 'tool-call-delta', choice: 0, block: 0, arguments: '{"a"' },
    { type: 'tool-call-delta', choice: 0, block: 0, arguments: ':1}' },
    { type: 'block-end', choice: 0, block: 0 },
    { type: 'finish', choice: 0, reason: 'tool_calls' },
    { type: 'usage', usage: { ...plainUsage, inputTokens: 5, outputTokens: 2 } },
    { type: 'end' },
  ]);
  const chunks = bytes!.toString().match(/^data: \{.*$/gm)!;
  expect(chunks).toHaveLength(3);
  expect(chunks[1]).toContain('"function":{"name":"f","arguments":"{\\"a\\":1}"}');
  expect(chunks[2]).toContain('"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":5,');
});
