import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { fastTier } from '../../core/price.ts';
import { noUsage, totalOutputTokens, type Usage } from '../../core/usage.ts';
import { count, serviceTierUsed } from '../openai-chat/usage.ts';

/*
 * Usage in Anthropic's words, where the input classes are disjoint and `output_tokens` contains the thinking.
 * https://docs.anthropic.com/en/api/messages#response-usage
 */

/** `before` is what the stream said earlier: a later event repeats only some of the figures. */
export function decodeUsage(usage: unknown, before?: Usage): Usage | undefined {
  if (!isJsonObject(usage)) return before;
  if (typeof usage.input_tokens !== 'number' && typeof usage.output_tokens !== 'number') return before;
  const base = before ?? noUsage;
  // Input figures never fall in a stream: some servers write 0 where they do not repeat one.
  const input = (value: unknown, otherwise: number) => count(value) || otherwise;

  const created = isJsonObject(usage.cache_creation) ? usage.cache_creation : {};
  const createdLong = count(created.ephemeral_1h_input_tokens);
  const written = input(
    Math.max(count(usage.cache_creation_input_tokens), count(created.ephemeral_5m_input_tokens) + createdLong),
    base.cacheWriteTokens + base.cacheWriteLongTokens,
  );
  const writtenLong = Math.min(written, input(createdLong, base.cacheWriteLongTokens));
  const output = typeof usage.output_tokens === 'number' ? count(usage.output_tokens) : totalOutputTokens(base);
  const details = usage.output_tokens_details;
  const thinking = Math.min(output, isJsonObject(details) ? count(details.thinking_tokens) : base.reasoningTokens);
  const tools = usage.server_tool_use;
  const tier = usage.speed === fastTier ? fastTier : (serviceTierUsed(usage.service_tier) ?? base.serviceTier);
  const region = regionOf(usage.inference_geo) ?? base.region;
  return {
    ...base,
    inputTokens: input(usage.input_tokens, base.inputTokens),
    cacheReadTokens: input(usage.cache_read_input_tokens, base.cacheReadTokens),
    cacheWriteTokens: written - writtenLong,
    cacheWriteLongTokens: writtenLong,
    outputTokens: output - thinking,
    reasoningTokens: thinking,
    webSearchCalls: isJsonObject(tools) ? count(tools.web_search_requests) : base.webSearchCalls,
    ...(tier === undefined ? {} : { serviceTier: tier }),
    ...(region === undefined ? {} : { serviceTier: tier ?? 'default', region }),
  };
}

/** Where the provider says that it worked, and not just anywhere. */
function regionOf(told: unknown): string | undefined {
  if (typeof told !== 'string') return undefined;
  const region = told.toLowerCase();
  return region === '' || region === 'global' || region === 'not_available' ? undefined : region;
}

export function encodeUsage(usage: Usage | undefined): JsonObject {
  const { cacheWriteTokens, cacheWriteLongTokens, reasoningTokens, webSearchCalls, ...rest } = usage ?? noUsage;
  return {
    input_tokens: rest.inputTokens + rest.inputAudioTokens + rest.inputImageTokens,
    cache_creation_input_tokens: cacheWriteTokens + cacheWriteLongTokens,
    cache_read_input_tokens: rest.cacheReadTokens,
    ...(cacheWriteTokens + cacheWriteLongTokens > 0
      ? {
          cache_creation: {
            ephemeral_5m_input_tokens: cacheWriteTokens,
            ephemeral_1h_input_tokens: cacheWriteLongTokens,
          },
        }
      : {}),
    output_tokens: rest.outputTokens + reasoningTokens + rest.outputAudioTokens,
    ...(reasoningTokens > 0 ? { output_tokens_details: { thinking_tokens: reasoningTokens } } : {}),
    ...(webSearchCalls > 0 ? { server_tool_use: { web_search_requests: webSearchCalls } } : {}),
  };
}
