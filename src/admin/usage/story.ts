import { chargeOf } from '../../core/charge.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import { priceAt } from '../../core/off-peak.ts';
import { costLines, costOf } from '../../core/price.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import type { Snapshot } from '../../core/route.ts';

/** How a request went, step by step, in milliseconds since it came in. */
export function stepsOf(record: RequestRecord) {
  const since = (at: number) => at - record.startedAt;
  const steps: { at_ms: number; step: string; detail: string | null }[] = [
    {
      at_ms: 0,
      step: 'received',
      detail: `${record.operation} in ${record.dialect}, ${record.stream ? 'streamed' : 'whole'}`,
    },
  ];
  if (record.admittedMs !== undefined) {
    const held = record.bound > 0 ? `${dollarsFromNanodollars(record.bound)} US dollars held` : 'nothing held';
    steps.push({ at_ms: record.admittedMs, step: 'admitted', detail: record.cacheHit ? 'known to the cache' : held });
  }
  for (const [index, attempt] of record.attempts.entries()) {
    const target = `${attempt.group}: ${attempt.provider}/${attempt.model} (${attempt.deploymentId})`;
    // Attempts are timed in whole milliseconds; the first begins after admission all the same.
    const start = Math.max(since(attempt.startedAt), record.admittedMs ?? 0);
    steps.push({ at_ms: start, step: `attempt ${index + 1}`, detail: target });
    const status = attempt.status === null ? '' : ` with status ${attempt.status}`;
    const end = Math.max(start, since(attempt.startedAt) + attempt.durationMs);
    steps.push({ at_ms: end, step: `attempt ${index + 1} ended`, detail: `${attempt.result}${status}` });
  }
  if (record.firstTokenAt !== null) {
    steps.push({ at_ms: since(record.firstTokenAt), step: 'first content left', detail: null });
  }
  const reason = record.errorCode === null ? record.finishReason : `${record.errorCode}: ${record.errorMessage ?? ''}`;
  steps.push({ at_ms: since(record.endedAt), step: record.status, detail: reason });
  // Steps of the same millisecond stay in the order in which they happen.
  return steps
    .map((step, index) => ({ step, index }))
    .sort((one, other) => one.step.at_ms - other.step.at_ms || one.index - other.index)
    .map(({ step }) => step);
}

/** Time to providers, and what is left for the gateway. */
export function timesOf(record: RequestRecord) {
  return {
    total_ms: record.endedAt - record.startedAt,
    gateway_ms: Math.round(record.overheadMs * 1_000) / 1_000,
    first_content_ms: record.firstTokenAt === null ? null : record.firstTokenAt - record.startedAt,
    providers_ms: record.attempts.reduce((sum, attempt) => sum + attempt.durationMs, 0),
    retries: Math.max(0, record.attempts.length - 1),
  };
}

/**
 * The cost of a request as a sum. Prices are those of now: `reproduced` says whether they still give what was charged.
 */
export function arithmeticOf(record: RequestRecord, snapshot: Pick<Snapshot, 'deployments' | 'settings'>) {
  const ambiguous = record.attempts.reduce((sum, attempt) => sum + attempt.charged, 0);
  const usual = record.deploymentId === null ? null : (snapshot.deployments.get(record.deploymentId)?.price ?? null);
  const price = usual === null ? null : priceAt(usual, record.startedAt);
  const isFree = record.cacheHit || record.deploymentId === null || record.cost === ambiguous;
  const listed = price === null || isFree ? 0 : costOf(record.usage, price);
  const charge = chargeOf(listed, record.provider ?? '', snapshot.settings);
  const lines = price === null || isFree ? [] : costLines(record.usage, price);
  return {
    charged: dollarsFromNanodollars(record.cost),
    held: dollarsFromNanodollars(record.bound),
    price_source: record.priceSource,
    usage_estimated: record.usage.estimated,
    lines: lines.map((line) => ({
      class: line.class,
      tokens: line.tokens,
      dollars_per_million: dollarsFromNanodollars(line.rate),
      cost: (line.tokens * line.rate) / 1e15,
    })),
    per_request: price === null || isFree ? 0 : dollarsFromNanodollars(price.perRequest),
    web_searches:
      price === null || isFree ? 0 : dollarsFromNanodollars(record.usage.webSearchCalls * price.perWebSearchCall),
    told_by_provider:
      record.usage.providerCost === undefined ? null : dollarsFromNanodollars(record.usage.providerCost),
    listed: dollarsFromNanodollars(listed),
    discount: dollarsFromNanodollars(charge.discount),
    margin: dollarsFromNanodollars(charge.margin),
    /** Attempts whose end nobody saw are charged what was held for them. */
    unseen_attempts: dollarsFromNanodollars(ambiguous),
    reproduced: charge.charged + ambiguous === record.cost,
  };
}
