import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Usage } from '../../core/usage.ts';
import { optionalString } from '../body-checks.ts';
import { taskDialect } from '../task-dialect.ts';
import { realtimeSession } from './session.ts';
import { turnUsage } from './usage.ts';

/** The longest answer of one turn. */
const outputTokensMax = 4_096;
/** Tokens that a second of sound becomes at the most, as sound and as text, and the longest transcript of little sound. */
const tokensPerSecondMax = 25;
const transcriptTokensMax = 2_048;

/**
 * https://platform.openai.com/docs/api-reference/realtime: a session of events. A turn ends with `response.done`. A body
 * with `audio_ms` stands for so much sound that is transcribed.
 */
export const openaiRealtime = taskDialect<{ model: string }, { id: string; model: string; usage: Usage | undefined }>({
  name: 'openai-realtime',
  operation: 'realtime',
  inspect: (body) => {
    const model = optionalString(body, 'model');
    if (typeof body.audio_ms !== 'number') {
      // A turn reads the whole conversation again.
      return { model, stream: true, maxOutputTokens: outputTokensMax, inputUnbounded: true };
    }
    const tokensMax = Math.ceil(body.audio_ms / 1_000) * tokensPerSecondMax;
    return {
      model,
      stream: true,
      maxOutputTokens: Math.max(transcriptTokensMax, tokensMax),
      mediaTokensMax: tokensMax + (typeof body.prompt_bytes === 'number' ? body.prompt_bytes : 0),
      unitsMax: { audioMs: body.audio_ms },
    };
  },
  decodeRequest: (body) => ({ model: optionalString(body, 'model') ?? '' }),
  encodeRequest: ({ model }) => ({ model }),
  decodeResponse: (event: JsonObject) => {
    if (!isJsonObject(event.response)) throw new GatewayError('upstream_connection', 'A turn without a response.');
    const { id } = event.response;
    return { id: typeof id === 'string' ? id : '', model: '', usage: turnUsage(event.response.usage) };
  },
  encodeResponse: () => ({}),
  session: () => realtimeSession,
});
