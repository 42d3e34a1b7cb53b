import type { Price, TokenRates } from './price.ts';
import { localTime } from './zone.ts';

/** Milliseconds of the UTC day, `from <= time < to`; over midnight where `to` is earlier, the whole day where they are equal. */
export interface OffPeakWindow {
  readonly from: number;
  readonly to: number;
  /** 1 = Monday to 7 = Sunday, of the moment itself in `weekdayZone`; null = every day. */
  readonly weekdays: ReadonlySet<number> | null;
  /** Days since 1970 in `weekdayZone`: of these alone, and on them nothing else counts; null = no single days. */
  readonly days: ReadonlySet<number> | null;
}

/** Token rates that replace the usual ones in some hours. */
export interface OffPeak {
  readonly windows: readonly OffPeakWindow[];
  /** IANA zone that weekdays are of; the hours are UTC whatever it is. */
  readonly weekdayZone: string;
  /** What is absent stays as usual, as do the rates of service tiers. */
  readonly rates: Partial<TokenRates>;
}

const dayMs = 86_400_000;
const opened = new WeakMap<Price, Price>();

/** The price for what is admitted at this time (unix milliseconds). */
export function priceAt(price: Price, at: number): Price {
  if (price.offPeak === undefined || !isOpen(price.offPeak, at)) return price;
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

function isOpen({ windows, weekdayZone }: OffPeak, at: number): boolean {
  const time = at % dayMs;
  const local = localTime(weekdayZone, at);
  const day = Math.floor(local / dayMs);
  const isSingled = windows.some(({ days }) => days?.has(day));
  return windows.some(({ from, to, weekdays, days }) => {
    if (from < to ? time < from || time >= to : time < from && time >= to) return false;
    if (isSingled || days !== null) return days?.has(day) ?? false;
    return weekdays === null || weekdays.has(new Date(local).getUTCDay() || 7);
  });
}
