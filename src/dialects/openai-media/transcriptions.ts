import type { AnswerOptions, RawAnswer } from '../../core/dialect.ts';
import { type FormField, formBody } from '../../core/form.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { TranscriptionRequest, TranscriptionResponse, TranscriptPiece } from '../../core/neutral-media.ts';
import type { DialectName } from '../../core/operation.ts';
import { noUsage, type Usage } from '../../core/usage.ts';
import { malformed, optionalString, optionalStrings, unknownMembers } from '../body-checks.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { given, type TaskFormat } from '../task-dialect.ts';
import { fileOf, flagOf, numberOf, refuseEmpty } from './form-fields.ts';
import { eventText, MediaEventRelay, RawRelay } from './relays.ts';
import { subtitles } from './subtitles.ts';
import { mediaUsage, milliseconds, toldUsage } from './usage.ts';

/** Bytes of a second of audio: of the poorest speech that is still understood, and as a middle figure. */
const bytesPerSecondMin = 750;
const bytesPerSecond = 8_000;
/** Tokens that a second becomes at the most. */
const tokensPerSecondMax = 25;
const textTokensMax = 16_384;

const formats = ['json', 'text', 'srt', 'verbose_json', 'vtt', 'diarized_json'];
const fields: ReadonlySet<string> = new Set([
  'model',
  'file',
  'language',
  'prompt',
  'temperature',
  'response_format',
  'timestamp_granularities',
  'stream',
]);

function formatOf(body: JsonObject): string {
  const format = optionalString(body, 'response_format') || 'json';
  if (!formats.includes(format)) throw malformed('response_format', `expected one of ${formats.join(', ')}`);
  return format;
}

function decodeResponse(body: JsonObject): TranscriptionResponse {
  if (typeof body.text !== 'string') throw notAnAnswer('text');
  const durationMs = milliseconds(body.duration);
  const usage = mediaUsage(body.usage) ?? (durationMs > 0 ? heard(durationMs) : undefined);
  return {
    id: '',
    model: '',
    text: body.text,
    language: typeof body.language === 'string' ? body.language : undefined,
    durationSeconds: durationMs > 0 ? durationMs / 1_000 : undefined,
    segments: pieces(body.segments, 'text'),
    words: pieces(body.words, 'word'),
    usage,
  };
}

export function heard(audioMs: number): Usage {
  return { ...noUsage, units: { audioMs } };
}

function pieces(list: Json | undefined, name: 'text' | 'word'): TranscriptPiece[] {
  if (!Array.isArray(list)) return [];
  return list.filter(isJsonObject).map((entry) => ({
    text: String(entry[name] ?? ''),
    start: Number(entry.start) || 0,
    end: Number(entry.end) || 0,
    ...(typeof entry.speaker === 'string' ? { speaker: entry.speaker } : {}),
  }));
}

function encodeResponse(response: TranscriptionResponse, options: AnswerOptions): JsonObject {
  const { text, language, durationSeconds, segments, words, usage } = response;
  const format = options.request === undefined ? 'json' : formatOf(options.request.body);
  const used = usage === undefined ? {} : { usage: toldUsage(usage) };
  if (format === 'json') return { text, ...used };
  const asked = options.request === undefined ? [] : optionalStrings(options.request.body, 'timestamp_granularities');
  return {
    task: 'transcribe',
    ...given({ language, duration: durationSeconds }),
    text,
    segments: segments.map(({ text, start, end, speaker }, id) => given({ id, start, end, text, speaker })),
    ...(asked.includes('word') ? { words: words.map(({ text, start, end }) => ({ word: text, start, end })) } : {}),
    ...used,
  };
}

function encodeBytes(response: TranscriptionResponse, options: AnswerOptions): RawAnswer {
  const format = options.request === undefined ? 'json' : formatOf(options.request.body);
  const { text, segments, durationSeconds } = response;
  if (format === 'text') return { contentType: 'text/plain; charset=utf-8', bytes: Buffer.from(`${text}\n`) };
  if (format === 'srt' || format === 'vtt') {
    const all = segments.length > 0 ? segments : [{ text, start: 0, end: durationSeconds ?? 0 }];
    const contentType = format === 'vtt' ? 'text/vtt; charset=utf-8' : 'text/plain; charset=utf-8';
    return { contentType, bytes: Buffer.from(subtitles(format, all)) };
  }
  const body = encodeResponse(response, options);
  if (flagOf(options.request?.body ?? {}, 'stream')) return { contentType: 'text/event-stream', bytes: replay(body) };
  return { contentType: 'application/json', bytes: Buffer.from(JSON.stringify(body)) };
}

/** A whole transcript as the events of a stream. */
function replay(body: JsonObject): Buffer {
  const done = eventText({ type: 'transcript.text.done', text: body.text ?? '', ...given({ usage: body.usage }) });
  return Buffer.from(eventText({ type: 'transcript.text.delta', delta: body.text ?? '' }) + done);
}

function transcripts(name: DialectName, translate: boolean): TaskFormat<TranscriptionRequest, TranscriptionResponse> {
  return {
    name,
    operation: 'transcription',
    inspect: (body, _address, upload) => {
      formatOf(body);
      numberOf(body, 'temperature', { least: 0, most: 1 });
      if (upload?.isComplete) {
        fileOf(upload.files, 'file');
        refuseEmpty(upload.files);
      }
      const bytes = upload?.isComplete ? sizeOf(upload.files) : (upload?.bytesMax ?? 0);
      const secondsMax = Math.ceil(bytes / bytesPerSecondMin);
      return {
        model: optionalString(body, 'model'),
        stream: flagOf(body, 'stream') ?? false,
        maxOutputTokens: textTokensMax,
        mediaTokensMax: secondsMax * tokensPerSecondMax,
        units: { audioMs: Math.ceil(bytes / (bytesPerSecond / 1_000)) },
        unitsMax: { audioMs: secondsMax * 1_000 },
      };
    },
    decodeRequest: (body, files) => ({
      model: optionalString(body, 'model') ?? '',
      audio: fileOf(files, 'file'),
      translate,
      language: optionalString(body, 'language') || undefined,
      prompt: optionalString(body, 'prompt') || undefined,
      temperature: numberOf(body, 'temperature', { least: 0, most: 1 }),
      format: formatOf(body),
      granularities: optionalStrings(body, 'timestamp_granularities'),
      stream: flagOf(body, 'stream') ?? false,
      extra: unknownMembers(body, fields),
    }),
    encodeRequest: () => ({}),
    encodeBody: (request, options) => {
      const { audio, extra, granularities } = request;
      const texts = given({
        ...extra,
        model: options.model,
        language: request.language,
        prompt: request.prompt,
        temperature: request.temperature,
        response_format: request.format,
        stream: request.stream ? true : undefined,
      });
      const values = Object.entries(texts).map(
        ([field, value]): FormField => ({
          name: field,
          value: typeof value === 'string' ? value : JSON.stringify(value),
        }),
      );
      const wanted = granularities.map((value): FormField => ({ name: 'timestamp_granularities[]', value }));
      return formBody([...values, ...wanted, { name: 'file', ...audio }]);
    },
    edit: (body, edits, options) => {
      // Subtitles and bare text do not say how much was heard, which is what this family is paid by.
      const format = body.response_format;
      const isSilent = format === 'text' || format === 'srt' || format === 'vtt';
      if (isSilent && /whisper/i.test(options.model)) edits.set('response_format', 'verbose_json');
    },
    decodeResponse,
    encodeResponse,
    encodeBytes,
    rawAnswer: (_options, contentType) => new RawRelay(contentType, undefined),
    relay: () => new MediaEventRelay(),
    replay,
  };
}

function sizeOf(files: readonly { readonly size: number }[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** https://platform.openai.com/docs/api-reference/audio/createTranscription */
export const openaiTranscriptions = transcripts('openai-transcriptions', false);

/** https://platform.openai.com/docs/api-reference/audio/createTranslation */
export const openaiTranslations = transcripts('openai-translations', true);
