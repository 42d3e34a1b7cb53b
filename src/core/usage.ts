import type { Nanodollars } from './money.ts';

/** Measures of work that is not paid by the token; whole numbers. */
export interface UsageUnits {
  /** Characters of text read aloud. */
  readonly characters?: number;
  /** Images made. */
  readonly images?: number;
  /** `quality/1024x1024`, `1024x1024` or a quality: which of a model's image prices counts. */
  readonly imageKind?: string;
  /** Milliseconds of audio heard. */
  readonly audioMs?: number;
  /** Milliseconds of audio or video made. */
  readonly outputMs?: number;
  /** Searches or groups of documents ranked. */
  readonly queries?: number;
  readonly pages?: number;
}

/**
 * What one answer consumed. The classes are disjoint: a cached token is not also an input token, a reasoning token is
 * not also an output token, so that price × tokens summed over the classes is the cost.
 */
export interface Usage {
  /** Input tokens in none of the input classes below. */
  inputTokens: number;
  cacheReadTokens: number;
  /** Written to a provider cache with the short (5 minutes) lifetime. */
  cacheWriteTokens: number;
  /** Written to a provider cache with the long (1 hour) lifetime. */
  cacheWriteLongTokens: number;
  inputAudioTokens: number;
  inputImageTokens: number;
  /** Output tokens in none of the output classes below. */
  outputTokens: number;
  reasoningTokens: number;
  outputAudioTokens: number;
  /** Calls of tools that the provider runs and bills itself, such as web search. */
  webSearchCalls: number;
  /** What is paid by another measure than tokens; absent where nothing is. */
  units?: UsageUnits;
  /** True when the provider was silent and we counted ourselves. */
  estimated: boolean;
  /** What the provider says it charges, where it says so; takes precedence over the price table. */
  providerCost?: Nanodollars;
  /** Service tier the provider says it used (`flex`, `priority`, `fast`), where it says so. */
  serviceTier?: string;
  /** Where the provider says that it worked (`us`), where that may have a price; stands beside a service tier only. */
  region?: string;
}

export const noUsage: Readonly<Usage> = Object.freeze({
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  cacheWriteLongTokens: 0,
  inputAudioTokens: 0,
  inputImageTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  outputAudioTokens: 0,
  webSearchCalls: 0,
  estimated: false,
});

/** What is counted. */
export const usageClasses = [
  'inputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'cacheWriteLongTokens',
  'inputAudioTokens',
  'inputImageTokens',
  'outputTokens',
  'reasoningTokens',
  'outputAudioTokens',
  'webSearchCalls',
] as const satisfies readonly (keyof Usage)[];

/** As it is kept: without the classes that there is nothing of, nearly all of them. */
export type ShortUsage = Partial<Usage>;

export function shortUsage(usage: Usage): ShortUsage {
  const short: ShortUsage = { ...usage };
  for (const name of usageClasses) if (isNone(short[name])) delete short[name];
  return short;
}

/** Providers have been seen to report nonsense, too. */
export function isNone(count: number | undefined): boolean {
  return count === 0 || !Number.isFinite(count);
}

export function fullUsage(short: ShortUsage): Usage {
  const { units, providerCost, serviceTier } = short;
  if (units !== undefined || providerCost !== undefined || serviceTier !== undefined) return { ...noUsage, ...short };
  return {
    inputTokens: short.inputTokens ?? 0,
    cacheReadTokens: short.cacheReadTokens ?? 0,
    cacheWriteTokens: short.cacheWriteTokens ?? 0,
    cacheWriteLongTokens: short.cacheWriteLongTokens ?? 0,
    inputAudioTokens: short.inputAudioTokens ?? 0,
    inputImageTokens: short.inputImageTokens ?? 0,
    outputTokens: short.outputTokens ?? 0,
    reasoningTokens: short.reasoningTokens ?? 0,
    outputAudioTokens: short.outputAudioTokens ?? 0,
    webSearchCalls: short.webSearchCalls ?? 0,
    estimated: short.estimated ?? false,
  };
}

export function totalInputTokens(usage: Usage): number {
  return (
    usage.inputTokens +
    usage.cacheReadTokens +
    usage.cacheWriteTokens +
    usage.cacheWriteLongTokens +
    usage.inputAudioTokens +
    usage.inputImageTokens
  );
}

export function totalOutputTokens(usage: Usage): number {
  return usage.outputTokens + usage.reasoningTokens + usage.outputAudioTokens;
}

export function totalTokens(usage: Usage): number {
  return totalInputTokens(usage) + totalOutputTokens(usage);
}
