import { GatewayError } from '../../core/errors.ts';
import { type FormField, formBody } from '../../core/form.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type {
  SpeechRequest,
  SpeechResponse,
  TranscriptionRequest,
  TranscriptionResponse,
  TranscriptPiece,
} from '../../core/neutral-media.ts';
import type { DialectName, Operation } from '../../core/operation.ts';
import type { WireBody } from '../../core/upload.ts';
import { malformed } from '../body-checks.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { refuseEvents } from '../openai-media/speech.ts';
import { segmentsOfWords } from '../openai-media/subtitles.ts';
import { heard } from '../openai-media/transcriptions.ts';
import { milliseconds } from '../openai-media/usage.ts';
import { inexpressible } from '../parameter-edits.ts';
import { given, leaveOut, type TaskFormat } from '../task-dialect.ts';

type Speech = TaskFormat<SpeechRequest, SpeechResponse>;
type Transcription = TaskFormat<TranscriptionRequest, TranscriptionResponse>;

export function spokenByProviders(name: DialectName, operation: Operation) {
  const never = (): never => {
    throw new GatewayError('internal', `${name} is spoken by providers only`);
  };
  return { name, operation, inspect: never, decodeRequest: never, encodeResponse: never, encodeRequest: () => ({}) };
}

const noSound = (): never => {
  throw new GatewayError('upstream_connection', 'The provider answered with JSON instead of sound.');
};

function jsonBody(body: JsonObject, addressTail: string): WireBody {
  const bytes = Buffer.from(JSON.stringify(body));
  return { contentType: 'application/json', bytes, length: bytes.length, addressTail };
}

function query(values: JsonObject): string {
  const pairs = Object.entries(values).map(
    ([name, value]) => `${name}=${encodeURIComponent(String(value).toWellFormed())}`,
  );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

const elevenlabsFormats: Readonly<Record<string, string>> = {
  mp3: 'mp3_44100_128',
  wav: 'wav_24000',
  pcm: 'pcm_24000',
  opus: 'opus_48000_64',
};

function voiceName({ voice }: SpeechRequest): string {
  const name = isJsonObject(voice) ? voice.id : voice;
  if (typeof name === 'string' && name !== '') return name;
  throw malformed('voice', 'expected the name of a voice');
}

function knownFormat(format: string | undefined, known: Readonly<Record<string, string>>): string | undefined {
  if (format === undefined) return undefined;
  if (Object.hasOwn(known, format)) return known[format];
  throw inexpressible(`response_format ${JSON.stringify(format.slice(0, 40))}`, 'response_format');
}

/** https://elevenlabs.io/docs/api-reference/text-to-speech/convert: the voice is in the path */
export const elevenlabsSpeech: Speech = {
  ...spokenByProviders('elevenlabs-speech', 'speech'),
  encodeBody: (request, options) => {
    refuseEvents(request, options);
    leaveOut(options, { instructions: request.instructions });
    const { speed } = request;
    const body = {
      ...options.defaults,
      ...request.extra,
      ...given({
        text: request.text,
        model_id: options.model,
        voice_settings: speed === undefined ? undefined : { speed },
      }),
      ...options.extraBody,
    };
    const format = given({ output_format: knownFormat(request.format, elevenlabsFormats) });
    return jsonBody(body, `/${encodeURIComponent(voiceName(request).toWellFormed())}${query(format)}`);
  },
  decodeResponse: noSound,
};

/** https://elevenlabs.io/docs/api-reference/speech-to-text/convert */
export const elevenlabsTranscription: Transcription = {
  ...spokenByProviders('elevenlabs-transcription', 'transcription'),
  encodeBody: (request, options) => {
    refuseTranslation(request);
    leaveOut(options, { prompt: request.prompt });
    const values = given({
      ...options.defaults,
      ...request.extra,
      model_id: options.model,
      language_code: request.language,
      temperature: request.temperature,
      diarize: request.format === 'diarized_json' ? true : undefined,
      ...options.extraBody,
    });
    const fields = Object.entries(values).map(([name, value]): FormField => ({ name, value: String(value) }));
    return formBody([...fields, { name: 'file', ...request.audio }]);
  },
  decodeResponse: (body) => {
    if (typeof body.text !== 'string') throw notAnAnswer('text');
    const spoken = Array.isArray(body.words)
      ? body.words.filter(isJsonObject).filter(({ type }) => type === 'word')
      : [];
    const words = spoken.map((word) => piece(word, 'text', 'speaker_id'));
    const durationMs = milliseconds(body.audio_duration_secs ?? words.at(-1)?.end);
    return transcript(body.text, words, body.language_code, durationMs);
  },
};

/** https://developers.deepgram.com/reference/text-to-speech-api */
export const deepgramSpeech: Speech = {
  ...spokenByProviders('deepgram-speech', 'speech'),
  encodeBody: (request, options) => {
    refuseEvents(request, options);
    leaveOut(options, { instructions: request.instructions });
    const encoding = knownFormat(request.format, {
      mp3: 'mp3',
      opus: 'opus',
      flac: 'flac',
      aac: 'aac',
      wav: 'linear16',
      pcm: 'linear16',
    });
    const container = request.format === 'pcm' ? 'none' : undefined;
    // A voice of this vendor's is its model.
    const model = typeof request.voice === 'string' && request.voice.startsWith('aura') ? request.voice : options.model;
    const values = {
      ...options.defaults,
      ...request.extra,
      ...given({ model, encoding, container, speed: request.speed }),
      ...options.extraBody,
    };
    return jsonBody({ text: request.text }, query(values));
  },
  decodeResponse: noSound,
};

/** https://developers.deepgram.com/reference/listen-file: the sound is the body, everything else the address */
export const deepgramTranscription: Transcription = {
  ...spokenByProviders('deepgram-transcription', 'transcription'),
  encodeBody: (request, options) => {
    refuseTranslation(request);
    leaveOut(options, { prompt: request.prompt, temperature: request.temperature });
    const { audio, language } = request;
    const values = given({
      smart_format: true,
      detect_language: language === undefined ? true : undefined,
      ...options.defaults,
      ...request.extra,
      model: options.model,
      language,
      diarize: request.format === 'diarized_json' ? true : undefined,
      ...options.extraBody,
    });
    return { contentType: audio.mediaType, bytes: audio.bytes, length: audio.bytes.length, addressTail: query(values) };
  },
  decodeResponse: (body) => {
    const results = isJsonObject(body.results) ? body.results : {};
    const channel = Array.isArray(results.channels) ? results.channels[0] : undefined;
    const best = isJsonObject(channel) && Array.isArray(channel.alternatives) ? channel.alternatives[0] : undefined;
    if (!isJsonObject(channel) || !isJsonObject(best) || typeof best.transcript !== 'string') {
      throw notAnAnswer('results.channels[0].alternatives[0].transcript');
    }
    const list = Array.isArray(best.words) ? best.words.filter(isJsonObject) : [];
    const words = list.map((word) => piece({ ...word, text: word.punctuated_word ?? word.word }, 'text', 'speaker'));
    const { duration } = isJsonObject(body.metadata) ? body.metadata : ({} as JsonObject);
    return transcript(best.transcript, words, channel.detected_language, milliseconds(duration));
  },
};

export function refuseTranslation({ translate }: TranscriptionRequest): void {
  if (translate) throw inexpressible('translations', 'model');
}

export function piece(word: JsonObject, text: string, speaker: string): TranscriptPiece {
  return {
    text: String(word[text] ?? ''),
    start: Number(word.start) || 0,
    end: Number(word.end) || 0,
    ...(word[speaker] === undefined || word[speaker] === null ? {} : { speaker: String(word[speaker]) }),
  };
}

export function transcript(
  text: string,
  words: TranscriptPiece[],
  language: Json | undefined,
  durationMs: number,
): TranscriptionResponse {
  return {
    id: '',
    model: '',
    text,
    language: typeof language === 'string' ? language : undefined,
    durationSeconds: durationMs > 0 ? durationMs / 1_000 : undefined,
    segments: segmentsOfWords(words),
    words,
    usage: durationMs > 0 ? heard(durationMs) : undefined,
  };
}
