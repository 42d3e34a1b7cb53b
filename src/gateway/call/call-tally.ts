import type { GatewayError } from '../../core/errors.ts';
import type { Admitted, CallerHeaders, Outcome, ReplyOrigin } from '../../core/exchange.ts';
import type { Nanodollars } from '../../core/money.ts';
import type { Attempt } from '../../core/request-record.ts';
import type { Deployment } from '../../core/route.ts';
import { noUsage, totalInputTokens, totalOutputTokens, type Usage } from '../../core/usage.ts';
import type { Gateway } from '../gateway.ts';
import { amountAt } from '../limits/estimate.ts';
import type { UpstreamAttempt } from './attempt.ts';

/** How an attempt ended, for the record and for the deployment's health. */
export interface AttemptVerdict {
  readonly error: GatewayError | null;
  readonly ambiguous: boolean;
  readonly gone: boolean;
  readonly usage: Usage | null;
  readonly firstTokenMs: number | null;
  /** What it cost, where another attempt goes on and the request's own cost will be that one's. */
  readonly charged?: Nanodollars;
}

/** What the tally does not know itself. */
type ToldOutcome = Pick<Outcome, 'httpStatus'> &
  Partial<Pick<Outcome, 'usage' | 'cacheHit' | 'error' | 'finishReason' | 'responseText' | 'brokeOff'>>;

/** What one call has tried and what it came to: the attempts in order, their time, the cost of all but the last. */
export class CallTally {
  readonly attempts: Attempt[] = [];
  retries = 0;
  fallbacks = 0;
  upstreamMs = 0;
  ambiguousCost: Nanodollars = 0;
  cacheKey: string | null = null;
  deployment: Deployment | null = null;
  group: string | null = null;
  modelUsed: string | null = null;
  providerHeaders: CallerHeaders | null = null;
  firstTokenAt: number | null = null;
  /** What a provider had told when the client left before the first content. */
  usageSeen: Usage | undefined;
  readonly #gateway: Gateway;
  readonly #exchange: Admitted;

  constructor(gateway: Gateway, exchange: Admitted) {
    this.#gateway = gateway;
    this.#exchange = exchange;
  }

  /** An attempt is over: into the record, and into its deployment's health. */
  ended(attempt: UpstreamAttempt, verdict: AttemptVerdict, groupSize: number): void {
    const { clock, health } = this.#gateway;
    const { deployment, group, model } = attempt.target;
    const durationMs = clock.tick() - attempt.startedTick;
    const charged = verdict.charged ?? (verdict.ambiguous ? amountAt(this.#exchange, deployment) : 0);
    this.upstreamMs += durationMs;
    this.ambiguousCost += charged;
    this.attempts.push({
      deploymentId: deployment.id,
      group,
      provider: deployment.provider.id,
      model,
      startedAt: attempt.startedAt,
      durationMs: Math.round(durationMs),
      status: attempt.status,
      result: verdict.gone ? 'aborted' : (verdict.error?.code ?? 'success'),
      ambiguous: verdict.ambiguous,
      charged,
    });
    if (verdict.gone) health.released(deployment);
    else if (verdict.error !== null) health.failed(deployment, verdict.error, this.#exchange.snapshot, groupSize);
    else {
      const usage = verdict.usage ?? noUsage;
      health.succeeded(deployment, {
        totalMs: durationMs,
        firstTokenMs: verdict.firstTokenMs,
        inputTokens: totalInputTokens(usage),
        outputTokens: totalOutputTokens(usage),
      });
    }
    // Behind the health, which counts what is in flight.
    attempt.slot?.release();
  }

  origin(error: GatewayError | null, cacheHit = false): ReplyOrigin {
    return {
      deployment: this.deployment,
      group: this.group,
      retries: this.retries,
      fallbacks: this.fallbacks,
      cacheHit,
      cacheKey: this.cacheKey,
      upstreamMs: this.upstreamMs,
      providerHeaders: this.providerHeaders,
      error,
    };
  }

  outcome(kind: Outcome['kind'], result: ToldOutcome): Outcome {
    return {
      kind,
      httpStatus: result.httpStatus,
      usage: result.usage ?? noUsage,
      attempts: this.attempts,
      deployment: this.deployment,
      group: this.group,
      modelUsed: this.modelUsed,
      cacheHit: result.cacheHit ?? false,
      cacheKey: this.cacheKey,
      error: result.error ?? null,
      finishReason: result.finishReason ?? null,
      firstTokenAt: this.firstTokenAt,
      endedAt: this.#gateway.clock.now(),
      upstreamMs: this.upstreamMs,
      ambiguousCost: this.ambiguousCost,
      responseText: result.responseText ?? null,
      brokeOff: result.brokeOff ?? false,
    };
  }
}
