import type { Price, TokenRates } from '../core/price.ts';

/** The price with that of its provider's batch API, where nobody has written one: the published part of the usual one. */
export function withBatchPrice(price: Price | null, ratio: number | undefined): Price | null {
  if (price === null || ratio === undefined || Object.hasOwn(price.serviceTiers, 'batch')) return price;
  return Object.freeze({
    ...price,
    serviceTiers: Object.freeze({ ...price.serviceTiers, batch: partOf(price.rates, ratio) }),
    tiers: price.tiers.map((tier) =>
      Object.freeze({ ...tier, serviceTiers: { ...tier.serviceTiers, batch: partOf(tier.rates, ratio) } }),
    ),
  });
}

function partOf(rates: TokenRates, ratio: number): TokenRates {
  const part = Object.entries(rates).map(([name, rate]) => [name, Math.ceil(rate * ratio)]);
  return Object.freeze(Object.fromEntries(part) as TokenRates);
}
