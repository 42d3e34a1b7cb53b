import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { noUsage, totalInputTokens, totalOutputTokens, totalTokens, type Usage } from '../../core/usage.ts';
import { decodeUsage as decodeChatUsage } from '../openai-chat/usage.ts';

/*
 * Usage in this format's words: the totals contain the classes of their details.
 * https://platform.openai.com/docs/api-reference/responses/object#usage
 */

/** undefined when there is no usage in it. Calls of the provider's own search stand in the output, not in the usage. */
export function decodeUsage(usage: unknown, serviceTier: unknown, output: unknown): Usage | undefined {
  if (!isJsonObject(usage) || typeof usage.input_tokens !== 'number') return undefined;
  const { input_tokens: input, output_tokens: produced, total_tokens: total, ...rest } = usage;
  const decoded = decodeChatUsage(
    {
      ...rest,
      prompt_tokens: input,
      completion_tokens: produced,
      total_tokens: total,
      prompt_tokens_details: usage.input_tokens_details,
      completion_tokens_details: usage.output_tokens_details,
    },
    serviceTier,
  );
  const searches = searchCalls(output);
  return decoded === undefined || searches === 0 ? decoded : { ...decoded, webSearchCalls: searches };
}

export function searchCalls(output: unknown): number {
  if (!Array.isArray(output)) return 0;
  return output.filter((item) => isJsonObject(item) && item.type === 'web_search_call').length;
}

export function encodeUsage(usage: Usage | undefined): JsonObject {
  const told = usage ?? noUsage;
  const written = told.cacheWriteTokens + told.cacheWriteLongTokens;
  return {
    input_tokens: totalInputTokens(told),
    input_tokens_details: {
      cached_tokens: told.cacheReadTokens,
      cache_write_tokens: written,
      ...(told.cacheWriteLongTokens > 0
        ? { cache_creation_token_details: { ephemeral_1h_input_tokens: told.cacheWriteLongTokens } }
        : {}),
      ...(told.inputAudioTokens > 0 ? { audio_tokens: told.inputAudioTokens } : {}),
      ...(told.inputImageTokens > 0 ? { image_tokens: told.inputImageTokens } : {}),
    },
    output_tokens: totalOutputTokens(told),
    output_tokens_details: {
      reasoning_tokens: told.reasoningTokens,
      ...(told.outputAudioTokens > 0 ? { audio_tokens: told.outputAudioTokens } : {}),
    },
    total_tokens: totalTokens(told),
    ...(told.webSearchCalls > 0 ? { server_tool_use: { web_search_requests: told.webSearchCalls } } : {}),
  };
}
