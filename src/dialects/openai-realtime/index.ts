import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { noUsage, type Usage } from '../../core/usage.ts';
import { optionalString } from '../body-checks.ts';
import { count } from '../openai-chat/usage.ts';
import { taskDialect } from '../task-dialect.ts';

/** The longest answer of one turn. */
const outputTokensMax = 4_096;

/** Usage of a turn, where cached text and sound stand inside text and sound. */
function usageOf(usage: unknown): Usage | undefined {
  if (!isJsonObject(usage)) return undefined;
  const input = isJsonObject(usage.input_token_details) ? usage.input_token_details : {};
  const output = isJsonObject(usage.output_token_details) ? usage.output_token_details : {};
  const total = count(usage.input_tokens);
  const cached = Math.min(total, count(input.cached_tokens));
  const cachedAudio = isJsonObject(input.cached_tokens_details) ? count(input.cached_tokens_details.audio_tokens) : 0;
  const audio = Math.min(total - cached, Math.max(0, count(input.audio_tokens) - cachedAudio));
  const image = Math.min(total - cached - audio, count(input.image_tokens));
  const outputTotal = count(usage.output_tokens);
  const outputAudio = Math.min(outputTotal, count(output.audio_tokens));
  return {
    ...noUsage,
    inputTokens: total - cached - audio - image,
    cacheReadTokens: cached,
    inputAudioTokens: audio,
    inputImageTokens: image,
    outputTokens: outputTotal - outputAudio,
    outputAudioTokens: outputAudio,
  };
}

/** https://platform.openai.com/docs/api-reference/realtime: a session of events; a turn ends with `response.done`. */
export const openaiRealtime = taskDialect<{ model: string }, { id: string; model: string; usage: Usage | undefined }>({
  name: 'openai-realtime',
  operation: 'realtime',
  inspect: (body) => ({
    model: optionalString(body, 'model'),
    stream: true,
    maxOutputTokens: outputTokensMax,
    // A turn reads the whole conversation again.
    inputUnbounded: true,
  }),
  decodeRequest: (body) => ({ model: optionalString(body, 'model') ?? '' }),
  encodeRequest: ({ model }) => ({ model }),
  decodeResponse: (event: JsonObject) => {
    if (!isJsonObject(event.response)) throw new GatewayError('upstream_connection', 'A turn without a response.');
    const { id } = event.response;
    return { id: typeof id === 'string' ? id : '', model: '', usage: usageOf(event.response.usage) };
  },
  encodeResponse: () => ({}),
});
