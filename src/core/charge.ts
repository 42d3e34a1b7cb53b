import { assertNanodollars, type Nanodollars } from './money.ts';
import { priceAt } from './off-peak.ts';
import { costOf } from './price.ts';
import type { ReplyCost } from './reply-facts.ts';
import type { Deployment, GatewaySettings } from './route.ts';
import type { Usage } from './usage.ts';

/**
 * What is charged for a list cost: the provider's discount off, then its margin (or the `global` one) on. Whole
 * nano-dollars, rounded up, and never falling as the list cost rises, so that a bound stays a bound. Nothing stays nothing.
 */
export function chargeOf(listed: Nanodollars, providerId: string, settings: GatewaySettings): ReplyCost {
  const discountRatio = settings.priceDiscounts[providerId] ?? 0;
  const marginRule = settings.priceMargins[providerId] ?? settings.priceMargins.global;
  if (listed === 0 || (discountRatio === 0 && marginRule === undefined)) {
    return { charged: listed, listed, discount: 0, margin: 0 };
  }
  const discount = Number(trillionths(listed, discountRatio) / trillion);
  const net = listed - discount;
  const margin =
    marginRule === undefined
      ? 0
      : Number((trillionths(net, marginRule.ratio) + trillion - 1n) / trillion) + marginRule.fixed;
  return { charged: assertNanodollars(net + margin), listed, discount, margin };
}

/** What usage at a deployment costs as charged, admitted at this time; 0 where it has no price. Throws for usage that cannot be priced. */
export function chargeAt(usage: Usage, deployment: Deployment, settings: GatewaySettings, at: number): ReplyCost {
  const listed = deployment.price === null ? 0 : costOf(usage, priceAt(deployment.price, at));
  return chargeOf(listed, deployment.provider.id, settings);
}

const trillion = 1_000_000_000_000n;

/** A ratio is a decimal figure that people wrote (0.29), which a double only comes near: 100 × 0.29 must be 29. */
function trillionths(amount: Nanodollars, ratio: number): bigint {
  return BigInt(amount) * BigInt(Math.round(ratio * 1e12));
}
