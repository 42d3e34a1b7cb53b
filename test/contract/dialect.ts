import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AnswerOptions, Dialect, EncodeOptions, StreamProgress } from '../../src/core/dialect.ts';
import { GatewayError } from '../../src/core/errors.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { NeutralRequest, NeutralResponse, StreamPart } from '../../src/core/neutral.ts';
import { encodedParts } from '../../src/gateway/streams/translated-stream.ts';
import { type StreamSummary, summarize } from './stream-summary.ts';

/** What a dialect brings to its contract. */
export interface DialectSubject {
  readonly dialect: Dialect;
  /** Folder of `*.sse` with `expected.json` beside them: what each stream says. null for a format without streams. */
  readonly fixtures: URL | null;
  /** Requests and answers that this format can say without loss. */
  readonly requests: fc.Arbitrary<NeutralRequest>;
  readonly responses: fc.Arbitrary<NeutralResponse>;
  /** Streams in place of the folder's, for a format that is no text. */
  readonly frames?: readonly StreamFixture[];
  /** Where an answer names its model; `model` where absent, null where it does not. */
  readonly modelMember?: string | null;
  /** True where an answer that passes through keeps the provider's name of the model. */
  readonly keepsModel?: boolean;
  /** True where an answer that has told its finish reason is complete even without the terminal event. */
  readonly completeAtFinish: boolean;
}

export const plainAnswer: AnswerOptions = {
  model: undefined,
  usageInStream: true,
  requestId: 'r-1',
  createdAt: 1_700_000_000,
};

/** Rules that change nothing, for a model that can do everything. */
export const plainOptions: EncodeOptions = {
  model: 'unset',
  dropParams: false,
  additionalDropParams: [],
  allowedParams: [],
  modifyParams: false,
  maxOutputTokensDefault: 4096,
  maxOutputTokensClamp: undefined,
  defaults: {},
  extraBody: {},
  gatewayFields: new Set(),
  usageInStream: 'never',
  traits: {
    reasoningModel: false,
    supportsJsonSchema: true,
    supportsImageUrls: true,
    unsupportedParams: [],
    anthropicExtensions: true,
    adaptiveThinking: true,
  },
};

export function dialectContract(subject: DialectSubject): void {
  const { dialect } = subject;

  test('a request survives being written and read', () => {
    fc.assert(
      fc.property(subject.requests, (request) => {
        const body = overTheWire(
          dialect.request.encode(request, { ...plainOptions, isOwnFormat: true, model: request.model }),
        );
        expect(dialect.request.decode(body)).toEqual(request);
        // Some formats say these in the address, and nothing of them in the body.
        const address = { model: request.model, stream: request.stream, query: '' };
        expect(dialect.inspect(body, address)).toMatchObject({ model: request.model, stream: request.stream });
        expect(dialect.passThrough(body, { ...plainOptions, model: request.model })).toEqual(new Map());
      }),
      { numRuns: 300 },
    );
  });

  test('an answer survives being written and read', () => {
    fc.assert(
      fc.property(subject.responses, (response) => {
        const body = overTheWire(dialect.response.encode(response, plainAnswer));
        expect(dialect.response.decode(body)).toEqual(response);
        expect(dialect.response.read(body).usage).toEqual(response.usage);
      }),
      { numRuns: 300 },
    );
  });

  const { modelMember = 'model' } = subject;
  if (modelMember !== null)
    test('the caller reads the model name that was asked for', () => {
      fc.assert(
        fc.property(subject.responses, (response) => {
          const answer = dialect.response.encode(response, { ...plainAnswer, model: 'asked' });
          expect(answer[modelMember]).toBe('asked');
        }),
        { numRuns: 5 },
      );
    });
  test('what is no answer is refused, whatever it is', () => {
    for (const body of [
      {},
      { error: { message: 'no' } },
      { choices: 'x', content: 'x', data: 'x' },
      { choices: [null] },
    ]) {
      expect(() => dialect.response.decode(body)).toThrow(GatewayError);
      expect(() => dialect.response.read(body)).toThrow(GatewayError);
    }
  });

  test('a body of any shape is read or refused with a message, never with a crash', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...fieldNames), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 6 }),
        (body) => {
          try {
            dialect.inspect(body as JsonObject);
            dialect.request.decode(body as JsonObject);
          } catch (error) {
            expect(error).toBeInstanceOf(GatewayError);
            expect((error as GatewayError).status).toBe(400);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('errors are told in the format and read back', () => {
    const error = new GatewayError('rate_limited', 'Too fast.');
    const body = dialect.errors.encode(error, 'r-1');
    expect(dialect.errors.decode(429, Buffer.from(JSON.stringify(body)))).toMatchObject({ message: 'Too fast.' });
    expect(dialect.errors.decode(502, Buffer.from('<html>Bad gateway</html>'))).toMatchObject({ message: undefined });
    expect(dialect.errors.decode(400, Buffer.from('{"detail":"maximum context length is 10"}')).kind).toBe(
      'context_window',
    );
  });

  if (subject.fixtures === null && subject.frames === undefined) return;
  const streams = subject.frames ?? readStreams(subject.fixtures!);
  const isText = subject.frames === undefined;

  test('every stream has its expectation', () => {
    expect(streams.length).toBeGreaterThan(0);
    expect(streams.filter(({ expected }) => expected === undefined)).toEqual([]);
  });

  describe.each(streams)('stream $name', (stream) => {
    const { bytes, expected } = stream;

    test('says what it is expected to say', () => {
      expect(summarize(decodeAll(dialect, [bytes]))).toEqual(expected);
    });

    test('passes through byte for byte', () => {
      const { output, progress } = relayAll(dialect, [bytes]);
      const isOwn = expected!.ending !== 'error' || !isText;
      const own = isOwn ? bytes : bytes.subarray(0, bytes.lastIndexOf(lastEventMark(bytes)));
      // What was owed at the end comes on top.
      if (isText || expected!.ending !== 'error') expect(output.subarray(0, own.length).equals(own)).toBe(true);
      else expect(bytes.subarray(0, output.length).equals(output)).toBe(true);
      expect(progress.ending).toBe(expected!.ending);
      expect(progress.usage).toEqual(expected!.usage ?? undefined);
      expect(progress.contentStarted).toBe(expected!.choices.some((choice) => choice.blocks.length > 0));
    });

    test('says the same however it is cut', () => {
      // Compared as text: there are hundreds of cuts to every stream.
      const parts = JSON.stringify(decodeAll(dialect, [bytes]));
      const whole = relayAll(dialect, [bytes]);
      const progressText = JSON.stringify(whole.progress);
      for (const chunks of cuts(bytes)) {
        expect(JSON.stringify(decodeAll(dialect, chunks))).toBe(parts);
        const { output, progress } = relayAll(dialect, chunks);
        expect(output.equals(whole.output)).toBe(true);
        expect(JSON.stringify(progress)).toBe(progressText);
      }
    });

    if (isText)
      test('says the same with other line ends, comments and a byte order mark', () => {
        const said = summarize(decodeAll(dialect, [bytes]));
        const text = bytes
          .toString()
          .replace(/^\ufeff/, '')
          .replaceAll('\r\n', '\n');
        const others = [
          text.replaceAll('\n', '\r\n'),
          text.replaceAll('\n', '\r'),
          `\ufeff${text}`,
          text.replaceAll('\n\n', '\n\n: still here\n\n'),
          text.replaceAll('data: ', 'data:'),
        ];
        for (const other of others) {
          const chunks = oneByOne(Buffer.from(other));
          expect(summarize(decodeAll(dialect, chunks))).toEqual(said);
          expect(relayAll(dialect, chunks).progress.ending).toBe(said.ending);
        }
      });

    test('is never complete when it is cut short', () => {
      const step = Math.ceil(bytes.length / 500);
      for (let length = 0; length < bytes.length; length += step) {
        const piece = bytes.subarray(0, length);
        const { progress } = relayAll(dialect, [piece]);
        const said = summarize(decodeAll(dialect, [piece]));
        if (said.ending !== 'complete' && progress.ending !== 'complete') continue;
        expect(said.ending).toBe(progress.ending);
        const isTerminal = /\[DONE\]|message_stop|message-end|response\.(completed|incomplete)/.test(piece.toString());
        expect(isTerminal || (subject.completeAtFinish && said.choices.every((choice) => choice.finish !== null))).toBe(
          true,
        );
      }
    });

    test('introduces no replacement characters', () => {
      const text = JSON.stringify(
        cuts(bytes)
          .slice(0, 50)
          .map((chunks) => decodeAll(dialect, chunks)),
      );
      expect(text).not.toContain('\ufffd');
    });

    if (!subject.keepsModel)
      test('reads the asked-for model in every chunk, and no usage that nobody asked for', () => {
        const options = { ...plainAnswer, model: 'modèle/asked', usageInStream: false };
        const { output, progress } = relayAll(dialect, [bytes], options);
        expect(progress.usage).toEqual(expected!.usage ?? undefined);
        const again = decodeAll(dialect, [output]);
        const start = again.find((part) => part.type === 'start');
        expect(start?.model).toBe('modèle/asked');
        const said = summarize(again);
        expect(said.choices).toEqual(expected!.choices);
        const models = [...output.toString().matchAll(/"model": ?"([^"]*)"/g)].map((match) => match[1]);
        expect(new Set(models)).toEqual(new Set(['modèle/asked']));
        if (subject.completeAtFinish) expect(said.usage).toBe(null);
        for (const chunks of cuts(bytes).slice(-20)) {
          expect(relayAll(dialect, chunks, options).output.equals(output)).toBe(true);
        }
      });

    test('survives being written and read as parts', () => {
      const parts = decodeAll(dialect, [bytes]);
      const written = encodedParts(dialect.streamEncoder(plainAnswer), parts);
      const said = summarize(decodeAll(dialect, [written ?? Buffer.alloc(0)]));
      expect(said.choices).toEqual(expected!.ending === 'error' ? said.choices : expected!.choices);
      expect(said.ending).toBe(expected!.ending === 'error' ? 'open' : 'complete');
    });
  });

  test('the event that ends a broken stream is an error to who reads the format', () => {
    const event = dialect.errors.streamEvent(new GatewayError('upstream_connection', 'Cut short.'), 'r-1');
    const parts = decodeAll(dialect, [event]);
    expect(parts).toMatchObject([{ type: 'error', message: 'Cut short.' }]);
    expect(relayAll(dialect, [event]).progress.ending).toBe('error');
  });

  if (isText)
    test('a page instead of a stream is neither passed on nor complete', () => {
      const page = Buffer.from('<html>\n<body>\n\nupstream is down\n\n</body>\n</html>\n\n');
      const { output, progress } = relayAll(dialect, [page]);
      expect(output.length).toBe(0);
      expect(progress).toMatchObject({ ending: 'open', contentStarted: false, events: 0 });
    });
}

const fieldNames = [
  'model',
  'messages',
  'prompt',
  'input',
  'system',
  'tools',
  'tool_choice',
  'stream',
  'max_tokens',
  'stop',
  'user',
  'metadata',
  '__proto__',
];

export interface StreamFixture {
  readonly name: string;
  readonly bytes: Buffer;
  readonly expected: StreamSummary | undefined;
}

export function readStreams(folder: URL): StreamFixture[] {
  const expected = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Record<string, StreamSummary>;
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sse'))
    .map((file) => file.slice(0, -4))
    .map((name) => ({ name, bytes: readFileSync(new URL(`${name}.sse`, folder)), expected: expected[name] }));
}

export function decodeAll(dialect: Dialect, chunks: readonly Uint8Array[]): StreamPart[] {
  const decoder = dialect.streamDecoder();
  const parts: StreamPart[] = [];
  for (const chunk of chunks) decoder.push(chunk, parts);
  decoder.end(parts);
  return parts;
}

export function relayAll(
  dialect: Dialect,
  chunks: readonly Uint8Array[],
  options: AnswerOptions = plainAnswer,
): { output: Buffer; progress: StreamProgress } {
  const relay = dialect.relay(options);
  const outputs: Uint8Array[] = [];
  for (const chunk of chunks) {
    const output = relay.push(chunk);
    if (output !== null) outputs.push(output);
  }
  const last = relay.end();
  if (last !== null) outputs.push(last);
  return { output: Buffer.concat(outputs), progress: relay.progress };
}

function overTheWire(body: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(body)) as JsonObject;
}

function lastEventMark(bytes: Buffer): string {
  return bytes.includes('event: ') ? 'event: ' : 'data: ';
}

function oneByOne(bytes: Buffer): Uint8Array[] {
  return [...bytes].map((byte) => Uint8Array.of(byte));
}

/** Every cut in two (thinned out in long streams), byte by byte, and random cuts from a fixed seed. */
function cuts(bytes: Buffer): Uint8Array[][] {
  const chunked: Uint8Array[][] = [];
  const step = Math.ceil(bytes.length / 400);
  for (let at = 1; at < bytes.length; at += step) chunked.push([bytes.subarray(0, at), bytes.subarray(at)]);
  chunked.push(oneByOne(bytes));
  let seed = 12_345;
  for (let round = 0; round < 20; round += 1) {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      const next = Math.min(bytes.length, at + 1 + (seed % 97));
      chunks.push(bytes.subarray(at, next));
      at = next;
    }
    chunked.push(chunks);
  }
  return chunked;
}
