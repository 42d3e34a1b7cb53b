import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { HeardInSession, SaidInSession, SessionFormat } from '../../core/session-format.ts';
import { bytesOf, parsed, soundIn, toldError } from './events.ts';
import { settingsOf, withTranscriptModel } from './settings.ts';
import { translatingSession } from './translating.ts';
import { transcriptUsage, turnUsage } from './usage.ts';

const nothing: readonly HeardInSession[] = [];
const transcription = 'conversation.item.input_audio_transcription.';
const tellingNames = [
  '"response.created"',
  '"response.done"',
  'session.',
  '"input_audio_buffer.',
  '_transcription.',
  '"error"',
] as const;

/** https://platform.openai.com/docs/api-reference/realtime-client-events and realtime-server-events. */
export const realtimeSession: SessionFormat = {
  modelIn: 'address',
  said(text) {
    const sound = soundIn(text, 'input_audio_buffer.append');
    if (sound !== null) return { kind: 'sound', bytes: bytesOf(sound) };
    // Whatever else costs: a turn, settings. What is escaped may be any of them.
    if (!/response\.create|\.update|input_audio_buffer|\\u/.test(text)) return null;
    const event = parsed(text);
    return event === undefined ? null : saidBy(event);
  },
  heard(text) {
    // Sound makes up nearly everything that is said, and means nothing here.
    if (!tellingNames.some((name) => text.includes(name))) return nothing;
    const event = parsed(text);
    const heard = event === undefined ? null : heardBy(event);
    return heard === null ? nothing : [heard];
  },
  cancelTurn: (id) => JSON.stringify({ type: 'response.cancel', response_id: id }),
  error: toldError,
  translating: translatingSession,
  transcriptsBegin: (id, isBeta) =>
    JSON.stringify({
      type: isBeta ? 'transcription_session.created' : 'session.created',
      event_id: `event_${id}`,
      session: {
        id: `sess_${id}`,
        object: 'realtime.transcription_session',
        ...(isBeta ? {} : { type: 'transcription' }),
      },
    }),
};

function saidBy(event: JsonObject): SaidInSession | null {
  switch (event.type) {
    case 'response.create':
      return { kind: 'turn' };
    case 'input_audio_buffer.append':
      return { kind: 'sound', bytes: typeof event.audio === 'string' ? bytesOf(event.audio) : 0 };
    case 'input_audio_buffer.commit':
      return { kind: 'sound_ends' };
    case 'input_audio_buffer.clear':
      return { kind: 'sound_dropped' };
    case 'session.update':
    case 'transcription_session.update': {
      const { session } = event;
      if (!isJsonObject(session)) return null;
      const withModel = (model: string) => JSON.stringify({ ...event, session: withTranscriptModel(session, model) });
      return { kind: 'settings', settings: settingsOf(session), withModel };
    }
    default:
      return null;
  }
}

function heardBy(event: JsonObject): HeardInSession | null {
  const item = typeof event.item_id === 'string' ? event.item_id : '';
  switch (event.type) {
    case 'response.created':
      return isJsonObject(event.response) ? { kind: 'turn_began', id: String(event.response.id ?? '') } : null;
    case 'response.done': {
      const { response } = event;
      if (!isJsonObject(response)) return null;
      return { kind: 'turn_ended', id: String(response.id ?? ''), usage: turnUsage(response.usage) };
    }
    case 'session.created':
    case 'session.updated':
    case 'transcription_session.created':
    case 'transcription_session.updated': {
      if (!isJsonObject(event.session)) return null;
      return { kind: 'settings', settings: settingsOf(event.session), isFirst: event.type.endsWith('created') };
    }
    case 'input_audio_buffer.speech_started':
      return { kind: 'speech_began', item, atMs: Number(event.audio_start_ms) || 0 };
    case 'input_audio_buffer.speech_stopped':
      return { kind: 'speech_ended', item, atMs: Number(event.audio_end_ms) || 0 };
    case 'input_audio_buffer.committed':
      return { kind: 'sound_taken', item };
    case 'input_audio_buffer.cleared':
      return { kind: 'sound_dropped' };
    case `${transcription}delta`:
      return { kind: 'words', item, bytes: lengthOf(event.delta) };
    case `${transcription}completed`: {
      const part = typeof event.content_index === 'number' ? event.content_index : 0;
      const usage = transcriptUsage(event.usage);
      return { kind: 'transcribed', item, part, bytes: lengthOf(event.transcript), usage };
    }
    case `${transcription}failed`: {
      const message = isJsonObject(event.error) ? String(event.error.message ?? '') : '';
      return { kind: 'not_transcribed', item, message };
    }
    case 'error':
      return isJsonObject(event.error) && event.error.code === 'input_audio_buffer_commit_empty'
        ? { kind: 'sound_refused' }
        : null;
    default:
      return null;
  }
}

function lengthOf(value: unknown): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : 0;
}
