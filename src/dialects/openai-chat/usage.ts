import type { AnswerOptions } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { dollarsFromNanodollars, nanodollarsFromDollars } from '../../core/money.ts';
import { noUsage, totalInputTokens, totalOutputTokens, totalTokens, type Usage } from '../../core/usage.ts';

/*
 * Usage in OpenAI's words, where `prompt_tokens` and `completion_tokens` contain the classes of their details.
 * https://platform.openai.com/docs/api-reference/chat/object; with the names other servers use for the same.
 */

/** A count as vendors send it; anything that is no count is 0. */
export function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

/** undefined when there is no usage in it. `serviceTier` stands beside usage in an answer. */
export function decodeUsage(usage: unknown, serviceTier?: unknown): Usage | undefined {
  if (!isJsonObject(usage)) return undefined;
  if (typeof usage.prompt_tokens !== 'number' && typeof usage.total_tokens !== 'number') return undefined;
  const completion = count(usage.completion_tokens);
  const total = count(usage.total_tokens);
  // Some embedding servers tell only the total.
  const prompt = typeof usage.prompt_tokens === 'number' ? count(usage.prompt_tokens) : Math.max(0, total - completion);
  const inputDetails = isJsonObject(usage.prompt_tokens_details) ? usage.prompt_tokens_details : {};
  const outputDetails = isJsonObject(usage.completion_tokens_details) ? usage.completion_tokens_details : {};
  const writeDetails = inputDetails.cache_creation_token_details;

  const read = firstCount(inputDetails.cached_tokens, usage.cache_read_input_tokens, usage.prompt_cache_hit_tokens);
  const written = firstCount(
    inputDetails.cache_creation_tokens,
    inputDetails.cache_write_tokens,
    usage.cache_creation_input_tokens,
  );
  const writtenLong = Math.min(written, isJsonObject(writeDetails) ? count(writeDetails.ephemeral_1h_input_tokens) : 0);
  // What was cached may have been audio or images: no token is paid twice.
  const uncached = Math.max(0, prompt - read - written);
  const inputAudio = Math.min(uncached, count(inputDetails.audio_tokens));
  const inputImage = Math.min(uncached - inputAudio, count(inputDetails.image_tokens));
  const told = count(outputDetails.reasoning_tokens);
  // Some servers count reasoning beside the completion instead of inside it; the total tells, or that it is too much.
  const isReasoningBeside =
    told > 0 && (total === prompt + completion + told || (told > completion && total !== prompt + completion));
  const reasoning = isReasoningBeside ? told : Math.min(completion, told);
  const otherOutput = isReasoningBeside ? completion : completion - reasoning;
  const outputAudio = Math.min(otherOutput, count(outputDetails.audio_tokens));

  const cost = providerCost(usage.cost);
  const tier = serviceTierUsed(serviceTier);
  return {
    ...noUsage,
    inputTokens: uncached - inputAudio - inputImage,
    cacheReadTokens: read,
    cacheWriteTokens: written - writtenLong,
    cacheWriteLongTokens: writtenLong,
    inputAudioTokens: inputAudio,
    inputImageTokens: inputImage,
    outputTokens: otherOutput - outputAudio,
    reasoningTokens: reasoning,
    outputAudioTokens: outputAudio,
    webSearchCalls: isJsonObject(usage.server_tool_use)
      ? count(usage.server_tool_use.web_search_requests)
      : count(usage.num_search_queries),
    ...(cost === undefined ? {} : { providerCost: cost }),
    ...(tier === undefined ? {} : { serviceTier: tier }),
  };
}

export function encodeUsage(usage: Usage): JsonObject {
  const prompt = totalInputTokens(usage);
  const written = usage.cacheWriteTokens + usage.cacheWriteLongTokens;
  const isCached = written > 0 || usage.cacheReadTokens > 0;
  return {
    prompt_tokens: prompt,
    completion_tokens: totalOutputTokens(usage),
    total_tokens: totalTokens(usage),
    prompt_tokens_details: {
      cached_tokens: usage.cacheReadTokens,
      audio_tokens: usage.inputAudioTokens,
      text_tokens: usage.inputTokens,
      ...(usage.inputImageTokens > 0 ? { image_tokens: usage.inputImageTokens } : {}),
      ...(written > 0
        ? {
            cache_creation_tokens: written,
            cache_creation_token_details: {
              ephemeral_5m_input_tokens: usage.cacheWriteTokens,
              ephemeral_1h_input_tokens: usage.cacheWriteLongTokens,
            },
          }
        : {}),
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens, audio_tokens: usage.outputAudioTokens },
    ...(isCached ? { cache_creation_input_tokens: written, cache_read_input_tokens: usage.cacheReadTokens } : {}),
    ...(usage.webSearchCalls > 0 ? { server_tool_use: { web_search_requests: usage.webSearchCalls } } : {}),
  };
}

function firstCount(...values: unknown[]): number {
  for (const value of values) if (count(value) > 0) return count(value);
  return 0;
}

/** Some providers say what they charge, in dollars, as a number or as `{total_cost}`: in nano-dollars, rounded up. */
function providerCost(cost: unknown): number | undefined {
  const dollars = isJsonObject(cost) ? cost.total_cost : cost;
  if (typeof dollars !== 'number' || !(dollars >= 0 && dollars < 1_000_000)) return undefined;
  const nearest = nanodollarsFromDollars(dollars);
  return dollarsFromNanodollars(nearest) < dollars ? nearest + 1 : nearest;
}

const usualTiers: ReadonlySet<unknown> = new Set(['auto', 'default', 'standard', 'standard_only', 'on_demand']);

export function serviceTierUsed(tier: unknown): string | undefined {
  return typeof tier === 'string' && tier !== '' && !usualTiers.has(tier) ? tier : undefined;
}

/** Usage as the end of a stream tells it: with its cost where the operator wants that. */
export function pricedUsage(usage: Usage, { costOf }: Pick<AnswerOptions, 'costOf'>): JsonObject {
  const told = encodeUsage(usage);
  return costOf === undefined ? told : { ...told, cost: costOf(usage) };
}
