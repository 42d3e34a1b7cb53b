import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { noUsage, totalInputTokens, totalOutputTokens, type Usage } from '../../core/usage.ts';
import { count } from '../openai-chat/usage.ts';

/** Usage of images, speech and transcripts: tokens by what they stand for, or seconds. undefined when there is none. */
export function mediaUsage(usage: unknown): Usage | undefined {
  if (!isJsonObject(usage)) return undefined;
  if (typeof usage.seconds === 'number') return { ...noUsage, units: { audioMs: milliseconds(usage.seconds) } };
  const input = count(usage.input_tokens ?? usage.prompt_tokens);
  const output = count(usage.output_tokens ?? usage.completion_tokens);
  if (input + output === 0) return undefined;
  const details = usage.input_tokens_details ?? usage.input_token_details;
  const { image_tokens: image, audio_tokens: audio } = isJsonObject(details) ? details : ({} as JsonObject);
  const inputImage = Math.min(input, count(image));
  const inputAudio = Math.min(input - inputImage, count(audio));
  return {
    ...noUsage,
    inputTokens: input - inputImage - inputAudio,
    inputImageTokens: inputImage,
    inputAudioTokens: inputAudio,
    outputTokens: output,
  };
}

export function toldUsage(usage: Usage): JsonObject {
  const { audioMs } = usage.units ?? {};
  const input = totalInputTokens(usage);
  const output = totalOutputTokens(usage);
  if (input + output === 0 && audioMs !== undefined) return { type: 'duration', seconds: Math.ceil(audioMs / 1_000) };
  const details: JsonObject = { text_tokens: usage.inputTokens };
  if (usage.inputImageTokens > 0) details.image_tokens = usage.inputImageTokens;
  if (usage.inputAudioTokens > 0) details.audio_tokens = usage.inputAudioTokens;
  return {
    input_tokens: input,
    output_tokens: output,
    total_tokens: input + output,
    input_tokens_details: details,
  };
}

export function plusUsage(one: Usage | undefined, other: Usage | undefined): Usage | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return {
    ...one,
    inputTokens: one.inputTokens + other.inputTokens,
    inputImageTokens: one.inputImageTokens + other.inputImageTokens,
    inputAudioTokens: one.inputAudioTokens + other.inputAudioTokens,
    outputTokens: one.outputTokens + other.outputTokens,
  };
}

/** A duration in seconds, as a number or as text, in whole milliseconds. */
export function milliseconds(seconds: unknown): number {
  const value = Number(seconds);
  return Number.isFinite(value) && value > 0 && value < 1e9 ? Math.round(value * 1_000) : 0;
}
