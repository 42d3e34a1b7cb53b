import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { dialectContract, type StreamFixture } from '../../../test/contract/dialect.ts';
import {
  assistantContent,
  base64,
  extra,
  fittingChoice,
  mark,
  maybe,
  number,
  plainRequest,
  schema,
  textBlock,
  tool,
  toolCall,
  usageOf,
  word,
} from '../../../test/contract/neutral-arbitraries.ts';
import type { StreamSummary } from '../../../test/contract/stream-summary.ts';
import { awsEvent, awsException } from '../../core/aws-event-stream.ts';
import type { ContentBlock, NeutralMessage, NeutralRequest, NeutralResponse, VendorBlock } from '../../core/neutral.ts';
import { bedrockConverse } from './index.ts';

const imageBlock = fc.record(
  {
    type: fc.constant('image' as const),
    source: base64.map((data) => ({ kind: 'base64' as const, mediaType: 'image/png', base64: data })),
    cacheMark: mark,
  },
  { requiredKeys: ['type', 'source'] },
);
const fileBlock = fc.record(
  {
    type: fc.constant('file' as const),
    source: base64.map((data) => ({ kind: 'base64' as const, mediaType: 'application/pdf', base64: data })),
    name: fc.constantFrom('report 1', 'a-b (2)'),
    cacheMark: mark,
  },
  { requiredKeys: ['type', 'source', 'name'] },
);
const media = fc.oneof(textBlock, imageBlock, fileBlock);
const plainMedia = media.map(({ cacheMark: _mark, ...block }) => block);
const toolResult = fc.record(
  {
    type: fc.constant('tool_result' as const),
    toolCallId: word,
    content: fc.array(plainMedia, { maxLength: 2 }),
    isError: fc.boolean(),
    cacheMark: mark,
  },
  { requiredKeys: ['type', 'toolCallId', 'content'] },
);
const vendorBlock = fc.constant<VendorBlock>({
  type: 'vendor',
  dialect: 'bedrock-converse',
  block: { guardContent: { text: { text: 'x' } } },
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
    system: fc.array(textBlock, { maxLength: 2 }),
    messages,
    tools: fc.array(tool, { maxLength: 2 }),
    toolChoice: maybe(
      fc.oneof(
        fc.constantFrom({ type: 'auto' as const }, { type: 'required' as const }),
        word.map((name) => ({ type: 'tool' as const, name })),
      ),
    ),
    maxOutputTokens: maybe(fc.integer({ min: 1, max: 100_000 })),
    temperature: maybe(number),
    topP: maybe(number),
    stop: fc.array(word, { maxLength: 3 }),
    responseFormat: maybe(
      fc.record(
        { type: fc.constant('json_schema' as const), name: word, schema },
        { requiredKeys: ['type', 'name', 'schema'] },
      ),
    ),
    reasoning: maybe(fc.constantFrom({ effort: 'low' }, { effort: 'high' })),
    serviceTier: maybe(fc.constantFrom('flex', 'priority', 'default')),
    extra,
  })
  .map((request) => ({
    ...plainRequest,
    ...request,
    model: '',
    includeUsageInStream: true,
    toolChoice: fittingChoice(request),
  }));

const signed = fc.oneof(
  fc.record({ type: fc.constant('reasoning' as const), text: word, signature: word }),
  fc.record({ type: fc.constant('reasoning' as const), text: fc.constant(''), redacted: word }),
);
const content = fc
  .tuple(
    fc.array(signed, { maxLength: 2 }),
    fc.array(word, { maxLength: 2 }).map((texts) => texts.map((text) => ({ type: 'text' as const, text }))),
    fc.array(toolCall, { maxLength: 2 }).map((calls) => calls.map(({ cacheMark: _mark, ...call }) => call)),
  )
  .map((groups): ContentBlock[] => groups.flat());

const responses: fc.Arbitrary<NeutralResponse> = fc
  .record({
    content,
    finishReason: fc.constantFrom('stop', 'length', 'tool_calls', 'content_filter'),
    usage: usageOf(['inputTokens', 'cacheReadTokens', 'cacheWriteTokens', 'cacheWriteLongTokens', 'outputTokens']),
    extra,
  })
  .map(({ content: blocks, finishReason, ...response }) => ({
    ...response,
    id: '',
    model: '',
    createdAt: undefined,
    choices: [{ index: 0, content: blocks, finishReason }],
  }));

/** Fixtures are lines of an event's name and payload: the frames are made here. */
function readFrames(): StreamFixture[] {
  const folder = new URL('fixtures/', import.meta.url);
  const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Record<string, StreamSummary>;
  return readdirSync(folder)
    .filter((file) => file.endsWith('.jsonl'))
    .map((file) => file.slice(0, -'.jsonl'.length))
    .map((name) => ({ name, bytes: framesOf(new URL(`${name}.jsonl`, folder)), expected: expected[name] }));
}

function framesOf(file: URL): Buffer {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return Buffer.concat(
    lines.map((line) => {
      const [type, payload] = JSON.parse(line) as [string, { message: string }];
      return type.endsWith('Exception') ? awsException(type, payload.message) : awsEvent(type, payload);
    }),
  );
}

dialectContract({
  dialect: bedrockConverse,
  fixtures: null,
  frames: readFrames(),
  requests,
  responses,
  modelMember: null,
  keepsModel: true,
  completeAtFinish: true,
});
