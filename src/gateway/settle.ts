import { chargeAt } from '../core/charge.ts';
import { type Answered, asSettled, type Outcome, type Settled } from '../core/exchange.ts';
import { assertNanodollars, type Nanodollars } from '../core/money.ts';
import type { ReplyCost } from '../core/reply-facts.ts';
import type { Deployment, GatewaySettings } from '../core/route.ts';
import { totalInputTokens, totalOutputTokens, type Usage } from '../core/usage.ts';
import type { Gateway } from './gateway.ts';
import { amountAt } from './limits/estimate.ts';
import { recordOf } from './record/request-row.ts';
import { estimatedUsage } from './record/usage-estimate.ts';

export interface SettledCost {
  readonly settled: Settled;
  readonly cost: ReplyCost;
}

/**
 * Station 6: the true cost takes the place of the bound, on every account and in the rate limits, in one step with the
 * request's row. A second call for the same request changes nothing.
 */
export function settle(gateway: Gateway, answered: Answered, outcome: Outcome): SettledCost {
  const usage = usageOf(answered, outcome);
  const cost = chargedFor(gateway, answered, outcome, usage);
  const told = usage === outcome.usage ? outcome : { ...outcome, usage };
  const record = recordOf(gateway, answered, told, cost.charged);
  const settled = asSettled(answered, { outcome, cost: cost.charged, record });
  if (answered.reservation === null) gateway.ledger.record(record);
  else gateway.ledger.settle(answered.reservation, record);
  if (answered.rateReservation !== null) {
    gateway.limiter.settle(answered.id, answered.rateReservation, {
      inputTokens: totalInputTokens(usage),
      outputTokens: totalOutputTokens(usage),
    });
  }
  return { settled, cost };
}

/** As seen; for a client that left before a provider said anything, the input it had been sent. */
function usageOf(answered: Answered, outcome: Outcome): Usage {
  const { units } = answered.facts;
  const seen = seenUsage(answered, outcome);
  // A provider seldom repeats what it was asked to make or to read aloud.
  if (units === undefined || outcome.cacheHit || outcome.attempts.length === 0) return seen;
  const begun = outcome.kind !== 'failure' || outcome.firstTokenAt !== null;
  return begun ? { ...seen, units: { ...units, ...seen.units } } : seen;
}

function seenUsage(answered: Answered, outcome: Outcome): Usage {
  const { kind, usage, cacheHit, deployment } = outcome;
  if (kind !== 'aborted' || !isNothing(usage) || cacheHit || deployment === null || !hungUp(outcome)) return usage;
  return estimatedUsage(answered, deployment, 0);
}

const nothing: ReplyCost = Object.freeze({ charged: 0, listed: 0, discount: 0, margin: 0 });

function chargedFor(gateway: Gateway, answered: Answered, outcome: Outcome, usage: Usage): ReplyCost {
  const { deployment, ambiguousCost } = outcome;
  if (outcome.cacheHit || deployment === null) return plus(nothing, ambiguousCost);
  if (hungUp(outcome) && paysHold(answered.snapshot.settings, deployment)) {
    // The provider goes on working, and billing, after the connection is gone: what was held is the only sound figure.
    return plus(nothing, ambiguousCost + amountAt(answered, deployment));
  }
  // Who was not asked, or said no, is owed no fee for the request either.
  if (outcome.kind !== 'success' && isNothing(usage)) return plus(nothing, ambiguousCost);
  try {
    return plus(chargeAt(usage, deployment, answered.snapshot.settings, answered.receivedAt), ambiguousCost);
  } catch {
    gateway.log.error('usage cannot be priced; the upper bound is charged', { requestId: answered.id });
    return plus(nothing, ambiguousCost + amountAt(answered, deployment));
  }
}

/** Does the provider go on, and bill, when the connection to it is gone? */
export function paysHold(settings: GatewaySettings, { provider }: Deployment): boolean {
  return (settings.hangupCharges[provider.id] ?? (provider.stopsOnHangup ? 'seen' : 'hold')) === 'hold';
}

/** Was a provider at work when the connection went, and is not paid for yet? Else the client left between two attempts. */
function hungUp({ kind, attempts, brokeOff = false }: Outcome): boolean {
  const last = attempts.at(-1);
  if (last === undefined || last.ambiguous) return false;
  return brokeOff || (kind === 'aborted' && last.result === 'aborted');
}

function isNothing(usage: Usage): boolean {
  return totalInputTokens(usage) + totalOutputTokens(usage) === 0 && usage.units === undefined;
}

function plus(cost: ReplyCost, extra: Nanodollars): ReplyCost {
  if (extra === 0) return cost;
  return {
    ...cost,
    charged: assertNanodollars(cost.charged + extra),
    listed: assertNanodollars(cost.listed + extra),
  };
}
