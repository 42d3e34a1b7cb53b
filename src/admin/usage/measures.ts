import { z } from 'zod';
import { percentileMs } from '../../core/latency-bins.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import type { UsageMeasures } from '../../core/store.ts';

const percentiles = z
  .object({ p50: z.number(), p90: z.number(), p95: z.number(), p99: z.number() })
  .nullable()
  .describe('milliseconds; null when nothing was timed');

export const measuresOutput = {
  requests: z.number(),
  successes: z.number(),
  failures: z.number(),
  input_tokens: z.number(),
  output_tokens: z.number(),
  cache_read_tokens: z.number(),
  cache_write_tokens: z.number(),
  cost: z.number().describe('US dollars'),
  cache_hits: z.number(),
  fallbacks: z.number().describe('answered by another model group than the first one tried'),
  attempts: z.number().describe('requests to providers'),
  mean_ms: z.number().nullable(),
  mean_overhead_ms: z.number().nullable().describe("the gateway's own share"),
  latency_ms: percentiles,
  first_token_ms: percentiles,
};

export function shownMeasures(measures: UsageMeasures) {
  const { requests } = measures;
  return {
    requests,
    successes: measures.successes,
    failures: measures.failures,
    input_tokens: measures.inputTokens,
    output_tokens: measures.outputTokens,
    cache_read_tokens: measures.cacheReadTokens,
    cache_write_tokens: measures.cacheWriteTokens,
    cost: dollarsFromNanodollars(measures.cost),
    cache_hits: measures.cacheHits,
    fallbacks: measures.fallbacks,
    attempts: measures.attempts,
    mean_ms: requests === 0 ? null : rounded(measures.durationMs / requests),
    mean_overhead_ms: requests === 0 ? null : rounded(measures.overheadMs / requests),
    latency_ms: shownPercentiles(measures.latency),
    first_token_ms: shownPercentiles(measures.firstToken),
  };
}

function shownPercentiles(counts: readonly number[]) {
  const at = (fraction: number) => percentileMs(counts, fraction);
  const p50 = at(0.5);
  if (p50 === null) return null;
  return { p50: rounded(p50), p90: rounded(at(0.9)!), p95: rounded(at(0.95)!), p99: rounded(at(0.99)!) };
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1_000) / 1_000;
}

/** The sum of several, under another group. */
export function merged(parts: readonly UsageMeasures[], group: UsageMeasures['group']): UsageMeasures {
  const add = (pick: (part: UsageMeasures) => number) => parts.reduce((sum, part) => sum + pick(part), 0);
  const addEach = (pick: (part: UsageMeasures) => readonly number[]) =>
    (parts[0] === undefined ? [] : pick(parts[0])).map((_, bin) => add((part) => pick(part)[bin] ?? 0));
  return {
    group,
    requests: add((part) => part.requests),
    successes: add((part) => part.successes),
    failures: add((part) => part.failures),
    inputTokens: add((part) => part.inputTokens),
    outputTokens: add((part) => part.outputTokens),
    cacheReadTokens: add((part) => part.cacheReadTokens),
    cacheWriteTokens: add((part) => part.cacheWriteTokens),
    cost: add((part) => part.cost),
    cacheHits: add((part) => part.cacheHits),
    attempts: add((part) => part.attempts),
    fallbacks: add((part) => part.fallbacks),
    durationMs: add((part) => part.durationMs),
    overheadMs: add((part) => part.overheadMs),
    latency: addEach((part) => part.latency),
    firstToken: addEach((part) => part.firstToken),
  };
}
