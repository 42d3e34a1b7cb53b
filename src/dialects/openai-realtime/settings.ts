import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { SessionSettings } from '../../core/session-format.ts';

/** Bytes of a second of sound: 16-bit samples at 24 kHz, or 8-bit ones at 8 kHz. */
const pcmSampleRate = 24_000;
const telephoneBytesPerSecond = 8_000;

/** What the object of a session, in today's words or in those before, says of sound and transcripts. */
export function settingsOf(session: JsonObject): SessionSettings {
  const input = inputOf(session);
  const transcript = input === undefined ? session.input_audio_transcription : input.transcription;
  const format = input === undefined ? session.input_audio_format : input.format;
  return {
    transcript:
      transcript === undefined || transcript === null
        ? transcript
        : {
            model: isJsonObject(transcript) && typeof transcript.model === 'string' ? transcript.model : undefined,
            promptBytes: Buffer.byteLength(JSON.stringify(transcript)),
          },
    bytesPerSecond: bytesPerSecond(format),
  };
}

/** The same session with another model for its transcripts. */
export function withTranscriptModel(session: JsonObject, model: string): JsonObject {
  const input = inputOf(session);
  const renamed = (transcript: Json | undefined): JsonObject => ({ ...(transcript as JsonObject), model });
  if (input === undefined) {
    return { ...session, input_audio_transcription: renamed(session.input_audio_transcription) };
  }
  const audio = session.audio as JsonObject;
  return { ...session, audio: { ...audio, input: { ...input, transcription: renamed(input.transcription) } } };
}

function inputOf({ audio }: JsonObject): JsonObject | undefined {
  return isJsonObject(audio) && isJsonObject(audio.input) ? audio.input : undefined;
}

function bytesPerSecond(format: Json | undefined): number | undefined {
  const { type, rate } = isJsonObject(format) ? format : { type: format, rate: undefined };
  if (type === undefined || type === null) return undefined;
  if (type !== 'audio/pcm' && type !== 'pcm16') return telephoneBytesPerSecond;
  return 2 * (typeof rate === 'number' && rate >= telephoneBytesPerSecond ? rate : pcmSampleRate);
}
