import fc from 'fast-check';
import { dialectContract } from '../../../test/contract/dialect.ts';
import {
  base64,
  callArguments,
  extra,
  fittingChoice,
  maybe,
  number,
  plainRequest,
  schema,
  usageOf,
  whole,
  word,
} from '../../../test/contract/neutral-arbitraries.ts';
import type { ContentBlock, NeutralMessage, NeutralRequest, NeutralResponse, VendorBlock } from '../../core/neutral.ts';
import { googleSignature, signedCallId } from '../thought-signature.ts';
import { gemini } from './index.ts';

const signature = word.map(googleSignature);
const textBlock = word.map((text) => ({ type: 'text' as const, text }));
const source = fc.oneof(
  base64.map((data) => ({ kind: 'base64' as const, mediaType: 'image/png', base64: data })),
  fc.webUrl().map((url) => ({ kind: 'url' as const, url, mediaType: 'image/webp' })),
);
const imageBlock = source.map((one) => ({ type: 'image' as const, source: one }));
const audioBlock = base64.map((data) => ({
  type: 'audio' as const,
  source: { kind: 'base64' as const, mediaType: 'audio/wav', base64: data },
  format: 'wav',
}));
const fileBlock = fc.record(
  {
    type: fc.constant('file' as const),
    source: base64.map((data) => ({ kind: 'base64' as const, mediaType: 'application/pdf', base64: data })),
    name: word,
  },
  { requiredKeys: ['type', 'source'] },
);
const vendorBlock = fc.constantFrom<VendorBlock>(
  { type: 'vendor', dialect: 'gemini-generate', block: { executableCode: { language: 'PYTHON', code: 'print(1)' } } },
  { type: 'vendor', dialect: 'gemini-generate', block: { codeExecutionResult: { outcome: 'OUTCOME_OK' } } },
);
const reasoning = fc.record(
  { type: fc.constant('reasoning' as const), text: word, signature },
  { requiredKeys: ['type', 'text'] },
);
const toolCall = fc
  .record({ id: word, name: word, arguments: callArguments, signed: maybe(word) })
  .map(({ signed, id, ...call }) => ({ type: 'tool_call' as const, id: signedCallId(id, signed), ...call }));
const resultText = fc.oneof(
  word,
  callArguments,
  fc.constantFrom('{"result":"x"}', '{"error":"x"}', '{"a": 1}', '[1]', '{"output":"x"}'),
);

/** A turn of the model, and a turn of the user that answers its calls. */
const turn = fc
  .record({
    said: fc.array(fc.oneof(textBlock, imageBlock, audioBlock, fileBlock, vendorBlock), { minLength: 1, maxLength: 2 }),
    thought: fc.array(reasoning, { maxLength: 1 }),
    text: fc.array(textBlock, { maxLength: 1 }),
    signed: fc.array(
      signature.map((one) => ({ type: 'reasoning' as const, text: '', signature: one })),
      { maxLength: 1 },
    ),
    calls: fc.uniqueArray(toolCall, { maxLength: 2, selector: ({ id }) => id }),
    results: fc.array(fc.tuple(resultText, fc.boolean()), { minLength: 2, maxLength: 2 }),
  })
  .map(({ said, thought, text, signed, calls, results }): NeutralMessage[] => {
    const assistant: ContentBlock[] = [...thought, ...text, ...(text.length > 0 ? signed : []), ...calls];
    const answers = calls.map((call, index): ContentBlock => {
      const [told, isError] = results[index]!;
      const failed = isError ? { isError } : {};
      return { type: 'tool_result', toolCallId: call.id, content: [{ type: 'text', text: told }], ...failed };
    });
    const turns: NeutralMessage[] = [{ role: 'user', content: said }];
    if (assistant.length > 0) turns.push({ role: 'assistant', content: assistant });
    if (answers.length > 0) turns.push({ role: 'user', content: answers });
    return turns;
  });

/** Ids of calls are unique in a conversation; a user speaks once at a time. */
const messages = fc.array(turn, { minLength: 1, maxLength: 1 }).map((turns) => turns.flat());

const tool = fc.record({ name: word, description: word, parameters: schema }, { requiredKeys: ['name', 'parameters'] });
const toolChoice = fc.oneof(
  fc.constantFrom({ type: 'auto' as const }, { type: 'required' as const }, { type: 'none' as const }),
  word.map((name) => ({ type: 'tool' as const, name })),
);

const requests: fc.Arbitrary<NeutralRequest> = fc
  .record({
    system: fc.array(textBlock, { maxLength: 2 }),
    messages,
    tools: fc.array(tool, { maxLength: 2 }),
    toolChoice: maybe(toolChoice),
    maxOutputTokens: maybe(fc.integer({ min: 1, max: 100_000 })),
    temperature: maybe(number),
    topP: maybe(number),
    topK: maybe(whole),
    seed: maybe(whole),
    choices: maybe(fc.integer({ min: 1, max: 4 })),
    presencePenalty: maybe(number),
    frequencyPenalty: maybe(number),
    stop: fc.array(word, { maxLength: 3 }),
    responseFormat: maybe(
      fc.oneof(
        fc.constant({ type: 'json_object' as const }),
        fc.record({ type: fc.constant('json_schema' as const), name: fc.constant('structured_output'), schema }),
      ),
    ),
    reasoning: maybe(
      fc.oneof(
        fc.constantFrom({ mode: 'disabled' as const }, { mode: 'adaptive' as const }),
        fc.record({ mode: fc.constant('enabled' as const), budgetTokens: fc.integer({ min: 1, max: 100_000 }) }),
      ),
    ),
    logprobs: maybe(fc.record({ topLogprobs: maybe(fc.integer({ min: 1, max: 20 })) })),
    serviceTier: maybe(fc.constantFrom('flex', 'priority')),
    extra,
  })
  .map((request) => ({
    ...plainRequest,
    ...request,
    model: '',
    includeUsageInStream: true,
    toolChoice: fittingChoice(request),
  }));

const content = fc
  .tuple(
    fc.array(reasoning, { maxLength: 1 }),
    fc.array(textBlock, { maxLength: 1 }),
    fc.array(fc.oneof(toolCall, imageBlock), { maxLength: 2 }),
    fc.array(vendorBlock, { maxLength: 1 }),
  )
  .map((groups): ContentBlock[] => groups.flat());

const choice = fc.record({ content, isOver: fc.boolean(), isFiltered: fc.boolean() }).map((one) => {
  const isCalling = one.content.some((block) => block.type === 'tool_call');
  const finishReason = one.isFiltered ? 'content_filter' : one.isOver ? 'length' : isCalling ? 'tool_calls' : 'stop';
  return { content: one.content, finishReason } as const;
});

const responses: fc.Arbitrary<NeutralResponse> = fc
  .record({
    id: word,
    model: word,
    createdAt: maybe(fc.integer({ min: 1, max: 2_000_000_000 })),
    choices: fc.array(choice, { minLength: 1, maxLength: 2 }),
    usage: usageOf([
      'inputTokens',
      'cacheReadTokens',
      'inputAudioTokens',
      'inputImageTokens',
      'outputTokens',
      'reasoningTokens',
      'outputAudioTokens',
    ]),
    extra,
  })
  .map(({ choices, ...response }) => ({
    ...response,
    choices: choices.map((one, index) => ({ index, ...one })),
  }));

dialectContract({
  dialect: gemini,
  fixtures: new URL('fixtures/', import.meta.url),
  requests,
  responses,
  modelMember: 'modelVersion',
  keepsModel: true,
  completeAtFinish: true,
});
