import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeAll, dialectContract, plainAnswer, plainOptions, relayAll } from '../../../test/contract/dialect.ts';
import {
  base64,
  extra,
  maybe,
  number,
  plainRequest,
  schema,
  usageOf,
  whole,
  word,
} from '../../../test/contract/neutral-arbitraries.ts';
import { type StreamSummary, summarize } from '../../../test/contract/stream-summary.ts';
import { GatewayError } from '../../core/errors.ts';
import type { NeutralMessage, NeutralRequest, NeutralResponse } from '../../core/neutral.ts';
import { ollamaChat, ollamaGenerate } from './index.ts';
import { soundIn } from './sound.ts';

const text = fc.record({ type: fc.constant('text' as const), text: word });
const image = base64
  .filter((data) => data !== '' && !/^(\/9j\/|R0lGOD|UklGR)/.test(data) && soundIn(data) === null)
  .map((data) => ({
    type: 'image' as const,
    source: { kind: 'base64' as const, mediaType: 'image/png', base64: data },
  }));
const sound = base64.map((data) => ({
  type: 'audio' as const,
  format: 'wav',
  source: { kind: 'base64' as const, mediaType: 'audio/wav', base64: `UklGRiQAAABXQVZF${data}` },
}));
const user = fc
  .tuple(text, fc.array(fc.oneof(image, sound), { maxLength: 2 }))
  .map(([said, images]) => ({ role: 'user' as const, content: [said, ...images] }));
const thinking = word.map((said) => ({ type: 'reasoning' as const, text: said }));
const call = fc.record({
  type: fc.constant('tool_call' as const),
  id: word,
  name: word,
  arguments: fc
    .dictionary(word, fc.oneof(word, fc.boolean()), { maxKeys: 2, noNullPrototype: true })
    .map((value) => JSON.stringify(value)),
});
const said = fc
  .tuple(fc.array(thinking, { maxLength: 1 }), fc.array(text, { maxLength: 1 }), fc.array(call, { maxLength: 2 }))
  .map((groups) => groups.flat())
  .filter((content) => content.length > 0);
const assistant = said.map((content) => ({ role: 'assistant' as const, content }));
const results = fc
  .array(
    fc.record({
      type: fc.constant('tool_result' as const),
      toolCallId: word,
      content: fc.array(text, { minLength: 1, maxLength: 1 }),
    }),
    { minLength: 1, maxLength: 2 },
  )
  .map((content) => ({ role: 'user' as const, content }));
const isResults = (message: NeutralMessage | undefined) => message?.content[0]?.type === 'tool_result';
const messages = fc
  .array(fc.oneof(user, assistant, results) as fc.Arbitrary<NeutralMessage>, { minLength: 1, maxLength: 4 })
  .map((list) => list.filter((message, index) => !(isResults(message) && isResults(list[index - 1]))));

const settings = {
  model: word,
  stream: fc.boolean(),
  maxOutputTokens: maybe(fc.integer({ min: 1, max: 100_000 })),
  temperature: maybe(number),
  topP: maybe(number),
  topK: maybe(whole),
  stop: fc.array(word, { maxLength: 2 }),
  seed: maybe(whole),
  presencePenalty: maybe(number),
  frequencyPenalty: maybe(number),
  responseFormat: maybe(
    fc.oneof(
      fc.constant({ type: 'json_object' as const }),
      schema.map((shape) => ({ type: 'json_schema' as const, name: 'response', schema: shape })),
    ),
  ),
  reasoning: maybe(
    fc.constantFrom({ mode: 'enabled' as const }, { mode: 'disabled' as const }, { effort: 'low' }, { effort: 'high' }),
  ),
  logprobs: maybe(fc.record({ topLogprobs: maybe(fc.nat(5)) })),
  extra,
};
const plain = { ...plainRequest, includeUsageInStream: true };
const requests: fc.Arbitrary<NeutralRequest> = fc
  .record({
    ...settings,
    system: fc.array(text, { maxLength: 2 }),
    messages,
    tools: fc.array(
      fc.record({ name: word, description: word, parameters: schema }, { requiredKeys: ['name', 'parameters'] }),
      { maxLength: 2 },
    ),
  })
  .map((request) => ({ ...plain, ...request }));
const prompts: fc.Arbitrary<NeutralRequest> = fc
  .record({ ...settings, system: fc.array(text, { maxLength: 1 }), message: user })
  .map(({ message, ...request }) => ({ ...plain, ...request, messages: [message] }));

const answer = {
  model: word,
  createdAt: fc.integer({ min: 1_000_000_000, max: 2_000_000_000 }),
  finishReason: fc.constantFrom('stop', 'length'),
  usage: usageOf(['inputTokens', 'outputTokens']),
  extra,
};
const responsesOf = (content: typeof said) =>
  fc.record({ ...answer, content }).map(({ content: blocks, finishReason, ...response }) => {
    const isCalling = blocks.some((block) => block.type === 'tool_call');
    const reason = finishReason === 'stop' && isCalling ? 'tool_calls' : finishReason;
    return { ...response, id: '', choices: [{ index: 0, content: blocks, finishReason: reason }] };
  }) as fc.Arbitrary<NeutralResponse>;

describe('chat', () => {
  dialectContract({
    dialect: ollamaChat,
    fixtures: null,
    requests,
    responses: responsesOf(said),
    completeAtFinish: false,
  });
});
describe('generate', () => {
  dialectContract({
    dialect: ollamaGenerate,
    fixtures: null,
    requests: prompts,
    responses: responsesOf(
      fc.tuple(fc.array(thinking, { maxLength: 1 }), text).map((groups) => groups.flat()) as unknown as typeof said,
    ),
    completeAtFinish: false,
  });
});

const folder = new URL('fixtures/', import.meta.url);
const expectations = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Record<
  string,
  StreamSummary
>;
const streams = readdirSync(folder)
  .filter((file) => file.endsWith('.ndjson'))
  .map((file) => ({ name: file.slice(0, -7), bytes: readFileSync(new URL(file, folder)) }));

test('every stream has its expectation', () => {
  expect(streams.map(({ name }) => name).sort()).toEqual(Object.keys(expectations).sort());
});

describe.each(streams)('stream $name', ({ name, bytes }) => {
  const expected = expectations[name]!;
  const cuts = Array.from({ length: bytes.length - 1 }, (_, at) => [bytes.subarray(0, at + 1), bytes.subarray(at + 1)]);
  const oneByOne = [...bytes].map((byte) => Uint8Array.of(byte));

  test('says what it is expected to say, however it is cut', () => {
    const parts = decodeAll(ollamaChat, [bytes]);
    expect(summarize(parts)).toEqual(expected);
    const whole = relayAll(ollamaChat, [bytes]);
    expect(whole.progress.ending).toBe(expected.ending);
    expect(whole.progress.usage ?? null).toEqual(expected.usage);
    for (const chunks of [...cuts, oneByOne]) {
      expect(decodeAll(ollamaChat, chunks)).toEqual(parts);
      const relayed = relayAll(ollamaChat, chunks);
      expect(relayed.output.equals(whole.output)).toBe(true);
      expect(relayed.progress).toEqual(whole.progress);
    }
  });

  test('passes through line for line, with the model that was asked for', () => {
    const { output } = relayAll(ollamaChat, [bytes]);
    const lines = bytes.toString().split(/\r?\n/).filter(Boolean);
    const told = expected.ending === 'error' ? lines.slice(0, -1) : lines;
    expect(output.toString()).toBe(told.map((line) => `${line}\n`).join(''));
    const renamed = relayAll(ollamaChat, oneByOne, { ...plainAnswer, model: 'modèle' }).output.toString();
    expect(renamed).toBe(output.toString().replaceAll('"model":"llama3.2"', '"model":"modèle"'));
  });

  test('is never complete when it is cut short', () => {
    // Without its last brace, the last line is no line.
    for (let length = 0; length < bytes.toString('latin1').trimEnd().length; length += 1) {
      const piece = bytes.subarray(0, length);
      expect(relayAll(ollamaChat, [piece]).progress.ending).not.toBe('complete');
      expect(summarize(decodeAll(ollamaChat, [piece])).ending).not.toBe('complete');
    }
  });

  test('survives being written and read as parts', () => {
    const encoder = ollamaChat.streamEncoder(plainAnswer);
    const written = decodeAll(ollamaChat, [bytes])
      .map((part) => encoder.encode(part))
      .join('');
    const again = summarize(decodeAll(ollamaChat, [Buffer.from(written)]));
    expect(again.choices).toEqual(expected.ending === 'error' ? again.choices : expected.choices);
    expect(again.ending).toBe(expected.ending === 'error' ? 'open' : 'complete');
  });
});

test('a broken stream ends with an error line, and a page is no stream', () => {
  const event = ollamaChat.errors.streamEvent(new GatewayError('upstream_connection', 'Cut short.'), 'r-1');
  expect(decodeAll(ollamaChat, [event])).toMatchObject([{ type: 'error', message: 'Cut short.' }]);
  const page = Buffer.from('<html>\n<body>\nupstream is down\n</body>\n</html>\n');
  const { output, progress } = relayAll(ollamaChat, [page]);
  expect(output.length).toBe(0);
  expect(progress).toMatchObject({ ending: 'open', contentStarted: false, events: 0 });
  expect(() => relayAll(ollamaChat, [Buffer.alloc(17 * 1024 * 1024, 'x')])).toThrow(GatewayError);
});

test.each([
  ['UklGRiQAAABXQVZFZm10IA==', 'wav'],
  ['SUQzBAAAAAAA', 'mp3'],
  ['//uQxAAA', 'mp3'],
  ['UklGRiQAAABXRUJQVlA4', null],
  ['/9j/4AAQSkZJRg==', null],
  ['iVBORw0KGgo=', null],
  ['', null],
])('%s is the sound %s', (data, sound) => {
  expect(soundIn(data)).toBe(sound);
  const needs = { audio: sound !== null, vision: sound === null };
  const messages = [{ role: 'user', content: 'What?', images: [data] }];
  expect(ollamaChat.inspect({ model: 'm', messages }).needs).toMatchObject(needs);
});

test('a sound that the server would not know is refused', () => {
  const source = { kind: 'base64' as const, mediaType: 'audio/flac', base64: 'ZkxhQw==' };
  const messages: NeutralMessage[] = [{ role: 'user', content: [{ type: 'audio', format: 'flac', source }] }];
  const request = { ...plainRequest, messages };
  expect(() => ollamaChat.request.encode(request, plainOptions)).toThrow('sounds other than WAV and MP3');
});
