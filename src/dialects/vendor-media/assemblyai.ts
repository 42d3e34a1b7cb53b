import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { TranscriptionRequest, TranscriptionResponse } from '../../core/neutral-media.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { milliseconds } from '../openai-media/usage.ts';
import { given, type TaskFormat } from '../task-dialect.ts';
import { piece, refuseTranslation, spokenByProviders, transcript } from './audio.ts';

const lookEveryMs = 1_000;

/**
 * Three steps: the sound is brought, a transcript of it is ordered, and asked for until it is there.
 * https://www.assemblyai.com/docs/api-reference/transcripts/submit
 */
export const assemblyaiTranscription: TaskFormat<TranscriptionRequest, TranscriptionResponse> = {
  ...spokenByProviders('assemblyai-transcription', 'transcription'),
  encodeBody: (request) => {
    refuseTranslation(request);
    const { bytes } = request.audio;
    return { contentType: 'application/octet-stream', bytes, length: bytes.length };
  },
  followUp: (answer, { path, options, request }) => {
    const transcripts = path.replace(/\/upload$/, '/transcript');
    const { upload_url: address, id, status } = answer;
    if (typeof address === 'string') {
      const { language, prompt, temperature, format, extra } = request();
      const body = given({
        ...options.defaults,
        ...extra,
        audio_url: address,
        speech_models: [options.model],
        language_code: language,
        language_detection: language === undefined ? true : undefined,
        prompt,
        temperature,
        speaker_labels: format === 'diarized_json' ? true : undefined,
        ...options.extraBody,
      });
      return { method: 'POST', path: transcripts, body, afterMs: 0 };
    }
    if (typeof id !== 'string' || (status !== 'queued' && status !== 'processing')) return null;
    return { method: 'GET', path: `${transcripts}/${encodeURIComponent(id)}`, body: null, afterMs: lookEveryMs };
  },
  decodeResponse: (body: JsonObject) => {
    if (body.status === 'error') {
      const why = typeof body.error === 'string' ? body.error : 'The transcript could not be made.';
      throw new GatewayError('upstream_bad_request', why);
    }
    if (typeof body.text !== 'string') throw notAnAnswer('text');
    const list = Array.isArray(body.words) ? body.words.filter(isJsonObject) : [];
    const seconds = (time: unknown) => (typeof time === 'number' ? time / 1_000 : 0);
    const words = list.map((word) =>
      piece({ ...word, start: seconds(word.start), end: seconds(word.end) }, 'text', 'speaker'),
    );
    return transcript(body.text, words, body.language_code, milliseconds(body.audio_duration ?? words.at(-1)?.end));
  },
};
