import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { noUsage, totalInputTokens, totalOutputTokens, type Usage } from '../../core/usage.ts';
import { decodeUsage as anthropicUsage } from '../anthropic-messages/usage.ts';
import { usageOf as cohereUsage } from '../embeddings/cohere.ts';
import { decodeUsage as geminiUsage } from '../gemini/usage.ts';
import { count, decodeUsage as openaiUsage } from '../openai-chat/usage.ts';
import { mediaUsage } from '../openai-media/usage.ts';

/** Usage in whatever shape a provider tells it; undefined when it tells none. */
export function anyUsage(body: JsonObject): Usage | undefined {
  for (const place of [body, body.message, body.response]) {
    if (!isJsonObject(place)) continue;
    const found = usageIn(place);
    if (found !== undefined && totalInputTokens(found) + totalOutputTokens(found) > 0) return found;
    if (found?.units !== undefined) return found;
  }
  return undefined;
}

function usageIn(place: JsonObject): Usage | undefined {
  const { usage, usageMetadata, meta } = place;
  if (isJsonObject(usageMetadata)) return geminiUsage(usageMetadata, 0);
  if (isJsonObject(meta) && meta.billed_units !== undefined) return cohereUsage(meta);
  if (!isJsonObject(usage)) return undefined;
  if (typeof usage.inputTokens === 'number' || typeof usage.outputTokens === 'number') return bedrockUsage(usage);
  if (usage.cache_read_input_tokens !== undefined || usage.cache_creation_input_tokens !== undefined) {
    return anthropicUsage(usage);
  }
  return openaiUsage(usage) ?? mediaUsage(usage);
}

function bedrockUsage(usage: JsonObject): Usage {
  return {
    ...noUsage,
    inputTokens: count(usage.inputTokens),
    outputTokens: count(usage.outputTokens),
    cacheReadTokens: count(usage.cacheReadInputTokens),
    cacheWriteTokens: count(usage.cacheWriteInputTokens),
  };
}

/** The later of two reports of one stream, where each may tell only one side. */
export function laterUsage(before: Usage | undefined, now: Usage | undefined): Usage | undefined {
  if (before === undefined || now === undefined) return now ?? before;
  const merged: Usage = { ...now };
  const names = [
    'inputTokens',
    'cacheReadTokens',
    'cacheWriteTokens',
    'cacheWriteLongTokens',
    'outputTokens',
    'reasoningTokens',
  ] as const;
  for (const name of names) merged[name] = Math.max(before[name], now[name]);
  return merged;
}
