import type { Outcome } from '../../core/exchange.ts';
import { noUsage } from '../../core/usage.ts';

/** How a request went that asked no model. */
export function nothingBought(httpStatus: number, endedAt: number): Outcome {
  return {
    kind: 'success',
    usage: noUsage,
    attempts: [],
    deployment: null,
    group: null,
    modelUsed: null,
    cacheHit: false,
    cacheKey: null,
    error: null,
    httpStatus,
    finishReason: null,
    firstTokenAt: null,
    endedAt,
    upstreamMs: 0,
    ambiguousCost: 0,
    responseText: null,
  };
}
