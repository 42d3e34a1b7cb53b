import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { noUsage, totalTokens, type Usage } from '../../core/usage.ts';
import { count } from '../openai-chat/usage.ts';

/* The input classes are disjoint; output contains reasoning. */

export function decodeUsage(usage: Json | undefined, tier: Json | undefined): Usage | undefined {
  if (!isJsonObject(usage)) return undefined;
  if (typeof usage.inputTokens !== 'number' && typeof usage.outputTokens !== 'number') return undefined;
  const written = count(usage.cacheWriteInputTokens);
  const details = Array.isArray(usage.cacheDetails) ? usage.cacheDetails.filter(isJsonObject) : [];
  const long = details.filter(({ ttl }) => ttl === '1h').reduce((sum, entry) => sum + count(entry.inputTokens), 0);
  const writtenLong = Math.min(written, long);
  const used = isJsonObject(tier) && (tier.type === 'flex' || tier.type === 'priority') ? tier.type : undefined;
  return {
    ...noUsage,
    inputTokens: count(usage.inputTokens),
    cacheReadTokens: count(usage.cacheReadInputTokens),
    cacheWriteTokens: written - writtenLong,
    cacheWriteLongTokens: writtenLong,
    outputTokens: count(usage.outputTokens),
    ...(used === undefined ? {} : { serviceTier: used }),
  };
}

export function encodeUsage(usage: Usage | undefined): JsonObject {
  const { cacheReadTokens, cacheWriteTokens, cacheWriteLongTokens, ...rest } = usage ?? noUsage;
  const written = cacheWriteTokens + cacheWriteLongTokens;
  return {
    inputTokens: rest.inputTokens + rest.inputAudioTokens + rest.inputImageTokens,
    outputTokens: rest.outputTokens + rest.reasoningTokens + rest.outputAudioTokens,
    totalTokens: usage === undefined ? 0 : totalTokens(usage),
    ...(cacheReadTokens > 0 ? { cacheReadInputTokens: cacheReadTokens } : {}),
    ...(written > 0 ? { cacheWriteInputTokens: written } : {}),
    ...(cacheWriteLongTokens > 0
      ? {
          cacheDetails: [
            { ttl: '5m', inputTokens: cacheWriteTokens },
            { ttl: '1h', inputTokens: cacheWriteLongTokens },
          ],
        }
      : {}),
  };
}
