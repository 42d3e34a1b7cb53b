import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { noUsage, totalInputTokens, totalTokens, type Usage } from '../../core/usage.ts';
import { count } from '../openai-chat/usage.ts';
import { field } from './fields.ts';

/*
 * `promptTokenCount` contains what was read from a cache, `candidatesTokenCount` does not contain the thoughts, and what
 * hosted tools fed to the model stands beside both.
 * https://ai.google.dev/api/generate-content#UsageMetadata
 */

/** undefined when there is no usage in it. */
export function decodeUsage(usage: Json | undefined, webSearchCalls: number): Usage | undefined {
  if (!isJsonObject(usage)) return undefined;
  const total = field(usage, 'totalTokenCount');
  if (typeof field(usage, 'promptTokenCount') !== 'number' && typeof total !== 'number') return undefined;
  const prompt = count(field(usage, 'promptTokenCount'));
  const cached = Math.min(prompt, count(field(usage, 'cachedContentTokenCount')));
  const toolUse = count(field(usage, 'toolUsePromptTokenCount'));
  const cachedBy = tokensBy(usage, 'cacheTokensDetails');
  const promptBy = tokensBy(usage, 'promptTokensDetails');
  const uncachedOf = (modality: string) => Math.max(0, (promptBy.get(modality) ?? 0) - (cachedBy.get(modality) ?? 0));
  const uncached = prompt - cached;
  const audio = Math.min(uncached, uncachedOf('AUDIO'));
  const image = Math.min(uncached - audio, uncachedOf('IMAGE'));
  const candidates = count(field(usage, 'candidatesTokenCount'));
  const outputAudio = Math.min(candidates, tokensBy(usage, 'candidatesTokensDetails').get('AUDIO') ?? 0);
  const tier = tierOf(field(usage, 'serviceTier') ?? field(usage, 'trafficType'));
  return {
    ...noUsage,
    inputTokens: uncached - audio - image + toolUse,
    cacheReadTokens: cached,
    inputAudioTokens: audio,
    inputImageTokens: image,
    outputTokens: candidates - outputAudio,
    reasoningTokens: count(field(usage, 'thoughtsTokenCount')),
    outputAudioTokens: outputAudio,
    webSearchCalls,
    ...(tier === undefined ? {} : { serviceTier: tier }),
  };
}

function tierOf(tier: Json | undefined): string | undefined {
  if (typeof tier !== 'string') return undefined;
  const name = tier.toLowerCase().replace(/^on_demand_?/, '');
  return name === 'flex' || name === 'priority' ? name : undefined;
}

function tokensBy(usage: JsonObject, name: string): Map<string, number> {
  const details = field(usage, name);
  const tokens = new Map<string, number>();
  for (const entry of Array.isArray(details) ? details : []) {
    if (!isJsonObject(entry)) continue;
    const modality = String(field(entry, 'modality'));
    tokens.set(modality, (tokens.get(modality) ?? 0) + count(field(entry, 'tokenCount')));
  }
  return tokens;
}

export function encodeUsage(usage: Usage): JsonObject {
  const prompt = totalInputTokens(usage);
  const text = prompt - usage.inputAudioTokens - usage.inputImageTokens;
  const inputDetails = [
    ['TEXT', text],
    ['AUDIO', usage.inputAudioTokens],
    ['IMAGE', usage.inputImageTokens],
  ] as const;
  return {
    promptTokenCount: prompt,
    candidatesTokenCount: usage.outputTokens + usage.outputAudioTokens,
    totalTokenCount: totalTokens(usage),
    ...(usage.reasoningTokens > 0 ? { thoughtsTokenCount: usage.reasoningTokens } : {}),
    ...(usage.cacheReadTokens > 0
      ? {
          cachedContentTokenCount: usage.cacheReadTokens,
          cacheTokensDetails: [{ modality: 'TEXT', tokenCount: usage.cacheReadTokens }],
        }
      : {}),
    promptTokensDetails: inputDetails
      .filter(([, tokenCount]) => tokenCount > 0)
      .map(([modality, tokenCount]) => ({ modality, tokenCount })),
    ...(usage.outputAudioTokens > 0
      ? { candidatesTokensDetails: [{ modality: 'AUDIO', tokenCount: usage.outputAudioTokens }] }
      : {}),
    ...(usage.serviceTier === undefined ? {} : { serviceTier: usage.serviceTier }),
  };
}

/** A grounded answer is billed once; by models of the third generation on, every query that was made for it. */
export function searchesOf(candidates: readonly JsonObject[], model: string): number {
  let searches = 0;
  for (const candidate of candidates) {
    const grounding = field(candidate, 'groundingMetadata');
    if (!isJsonObject(grounding)) continue;
    const queries = field(grounding, 'webSearchQueries');
    const made = Array.isArray(queries) ? queries.length : 0;
    searches += /gemini-[12]/.test(model) ? Math.min(1, made) : made;
  }
  return searches;
}
