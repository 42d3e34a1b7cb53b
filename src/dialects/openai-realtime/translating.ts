import { isJsonObject } from '../../core/json.ts';
import type { HeardInSession, SessionFormat } from '../../core/session-format.ts';
import { bytesOf, parsed, soundIn, toldError } from './events.ts';
import { settingsOf, withTranscriptModel } from './settings.ts';

const append = 'session.input_audio_buffer.append';
const nothing: readonly HeardInSession[] = [];

/**
 * https://developers.openai.com/api/docs/guides/realtime-translation: a session without turns, at an address of its own. Sound
 * goes in, its translation comes out, until `session.close`. What it costs is told by nobody: it is the length of the sound.
 */
export const translatingSession: SessionFormat = {
  modelIn: 'address',
  said(text) {
    const sound = soundIn(text, append);
    if (sound !== null) return { kind: 'sound', bytes: bytesOf(sound) };
    if (!/input_audio_buffer|\.update|\\u/.test(text)) return null;
    const event = parsed(text);
    if (event?.type === append) {
      return { kind: 'sound', bytes: typeof event.audio === 'string' ? bytesOf(event.audio) : 0 };
    }
    if (event?.type !== 'session.update' || !isJsonObject(event.session)) return null;
    const { session } = event;
    const withModel = (model: string) => JSON.stringify({ ...event, session: withTranscriptModel(session, model) });
    return { kind: 'settings', settings: settingsOf(session), withModel };
  },
  heard(text) {
    if (!/"session\.(?:created|updated)"/.test(text)) return nothing;
    const event = parsed(text);
    if (event === undefined || !isJsonObject(event.session)) return nothing;
    return [{ kind: 'settings', settings: settingsOf(event.session), isFirst: event.type === 'session.created' }];
  },
  cancelTurn: () => null,
  error: toldError,
  transcriptsBegin: () => '{}',
};
