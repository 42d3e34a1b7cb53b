import type { Price, TokenRates } from './price.ts';

/** Token rates that replace the usual ones in some hours of every day. */
export interface OffPeak {
  /** Milliseconds of the UTC day, `from <= time < to`; over midnight where `to` is earlier, the whole day where they are equal. */
  readonly windows: readonly { readonly from: number; readonly to: number }[];
  /** What is absent stays as usual, as do the rates of service tiers. */
  readonly rates: Partial<TokenRates>;
}

const dayMs = 86_400_000;
const opened = new WeakMap<Price, Price>();

/** The price for what is admitted at this time (unix milliseconds). */
export function priceAt(price: Price, at: number): Price {
  if (price.offPeak === undefined || !isOpen(price.offPeak, at % dayMs)) return price;
  const known = opened.get(price);
  if (known !== undefined) return known;
  const { rates } = price.offPeak;
  const made: Price = Object.freeze({
    ...price,
    rates: Object.freeze({ ...price.rates, ...rates }),
    tiers: price.tiers.map((tier) => Object.freeze({ ...tier, rates: Object.freeze({ ...tier.rates, ...rates }) })),
  });
  opened.set(price, made);
  return made;
}

function isOpen({ windows }: OffPeak, time: number): boolean {
  return windows.some(({ from, to }) => (from < to ? time >= from && time < to : time >= from || time < to));
}
