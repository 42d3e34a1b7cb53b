import { isJsonObject } from '../../core/json.ts';
import { noUsage, type Usage } from '../../core/usage.ts';
import { count } from '../openai-chat/usage.ts';
import { mediaUsage } from '../openai-media/usage.ts';

/** Usage of a turn, where cached text and sound stand inside text and sound. */
export function turnUsage(usage: unknown): Usage | undefined {
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

/** Usage of a transcript: tokens, or seconds. Nothing, where the provider says that it is nothing. */
export function transcriptUsage(usage: unknown): Usage | undefined {
  const told = mediaUsage(usage);
  if (told !== undefined || !isJsonObject(usage)) return told;
  return typeof usage.input_tokens === 'number' ? noUsage : undefined;
}
