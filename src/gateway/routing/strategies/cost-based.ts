import type { Deployment } from '../../../core/route.ts';
import type { Strategy } from './strategy.ts';

/** The lowest list price of input plus output; the first in the configuration among equals, unpriced ones last. */
export const costBased: Strategy = {
  respectsRates: true,
  pick({ candidates }) {
    let best = candidates[0]!;
    for (const candidate of candidates) if (listPrice(candidate) < listPrice(best)) best = candidate;
    return best;
  },
};

function listPrice({ price }: Deployment): number {
  return price === null ? Number.POSITIVE_INFINITY : price.rates.input + price.rates.output;
}
