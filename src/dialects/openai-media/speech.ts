import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { SpeechRequest, SpeechResponse } from '../../core/neutral-media.ts';
import { noUsage, type Usage } from '../../core/usage.ts';
import { malformed, nameOf, optionalString, requiredString, unknownMembers } from '../body-checks.ts';
import { given, leaveOut, type TaskFormat } from '../task-dialect.ts';
import { numberOf } from './form-fields.ts';
import { MediaEventRelay, RawRelay } from './relays.ts';

/** Tokens of sound that a character read aloud becomes: as a middle figure, and at the most. */
const tokensPerCharacter = 1.5;
const tokensPerCharacterMax = 8;
const bytesPerToken = 4;

const fields: ReadonlySet<string> = new Set([
  'model',
  'input',
  'voice',
  'response_format',
  'speed',
  'instructions',
  'stream_format',
]);

export function charactersOf(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Sound says nothing about its tokens: a middle figure by its text. */
export function estimatedSpeech(text: string): Usage {
  const characters = charactersOf(text);
  return {
    ...noUsage,
    inputTokens: Math.ceil(characters / bytesPerToken),
    outputAudioTokens: Math.ceil(characters * tokensPerCharacter),
    units: { characters },
    estimated: true,
  };
}

/** https://platform.openai.com/docs/api-reference/audio/createSpeech */
export const openaiSpeech: TaskFormat<SpeechRequest, SpeechResponse> = {
  name: 'openai-speech',
  operation: 'speech',
  inspect: (body) => {
    const characters = charactersOf(requiredString(body, 'input'));
    if (characters === 0) throw malformed('input', 'the text is empty');
    numberOf(body, 'speed', { least: 0.25, most: 4 });
    for (const name of ['response_format', 'instructions']) optionalString(body, name);
    const { voice } = body;
    if (typeof voice !== 'string' && !isJsonObject(voice ?? {})) {
      throw malformed('voice', `expected a name or an object, got ${nameOf(voice)}`);
    }
    return {
      model: optionalString(body, 'model'),
      stream: streamFormatOf(body) === 'sse',
      maxOutputTokens: characters * tokensPerCharacterMax + 64,
      units: { characters },
    };
  },
  decodeRequest: (body) => ({
    model: optionalString(body, 'model') ?? '',
    text: requiredString(body, 'input'),
    voice: body.voice,
    format: optionalString(body, 'response_format'),
    speed: numberOf(body, 'speed', { least: 0.25, most: 4 }),
    instructions: optionalString(body, 'instructions'),
    stream: streamFormatOf(body) === 'sse',
    extra: unknownMembers(body, fields),
  }),
  encodeRequest: (request) => ({
    ...request.extra,
    ...given({
      model: request.model,
      input: request.text,
      voice: request.voice,
      response_format: request.format,
      speed: request.speed,
      instructions: request.instructions,
      stream_format: request.stream ? 'sse' : undefined,
    }),
  }),
  decodeResponse: () => {
    throw new GatewayError('upstream_connection', 'The provider answered with JSON instead of sound.');
  },
  encodeResponse: () => ({}),
  encodeBytes: ({ bytes, mediaType }) => ({ bytes, contentType: mediaType }),
  rawAnswer: (options, contentType) =>
    new RawRelay(contentType, estimatedSpeech(String(options.request?.body.input ?? ''))),
  relay: () => new MediaEventRelay(),
};

function streamFormatOf(body: JsonObject): string | undefined {
  const format = optionalString(body, 'stream_format');
  if (format !== undefined && format !== 'sse' && format !== 'audio') {
    throw malformed('stream_format', 'expected "audio" or "sse"');
  }
  return format;
}

/** For formats without events: their sound comes as it is made anyway. */
export function refuseEvents(request: SpeechRequest, options: Parameters<typeof leaveOut>[0]): void {
  leaveOut(options, { stream_format: request.stream ? 'sse' : undefined });
}
