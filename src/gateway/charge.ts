import { assertNanodollars, type Nanodollars } from '../core/money.ts';
import type { ReplyCost } from '../core/reply-facts.ts';
import type { GatewaySettings } from '../core/route.ts';

/**
 * What is charged for a list cost: the provider's discount off, then its margin (or the `global` one) on. Whole
 * nano-dollars, rounded up, and never falling as the list cost rises, so that a bound stays a bound. Nothing stays nothing.
 */
export function chargeOf(listed: Nanodollars, providerId: string, settings: GatewaySettings): ReplyCost {
  const discount = Math.floor(listed * (settings.priceDiscounts[providerId] ?? 0));
  const marginRule = settings.priceMargins[providerId] ?? settings.priceMargins.global;
  if (listed === 0 || (discount === 0 && marginRule === undefined)) {
    return { charged: listed, listed, discount: 0, margin: 0 };
  }
  const net = listed - discount;
  const margin = marginRule === undefined ? 0 : Math.ceil(net * marginRule.ratio) + marginRule.fixed;
  return { charged: assertNanodollars(net + margin), listed, discount, margin };
}
