import { decimalText } from './decimal-text.ts';

/**
 * Money is whole nano-dollars (10^-9 USD) in a JS number that is asserted to be a safe integer:
 * room for 9 million dollars in one figure, and SQL sums it in BIGINT.
 */
export type Nanodollars = number;

export const nanodollarsPerDollar = 1_000_000_000;

/** The largest amount one figure may hold (about 9 million dollars). */
export const nanodollarsMax: Nanodollars = Number.MAX_SAFE_INTEGER;

export function assertNanodollars(amount: number): Nanodollars {
  if (!Number.isSafeInteger(amount)) throw new RangeError(`not a whole, safe amount of nano-dollars: ${amount}`);
  return amount;
}

/**
 * Reads a dollar amount as people and config files write it (`500`, `0.0003`, `"1.5e-7"`), rounding to the nearest
 * nano-dollar. Throws RangeError when it is not a finite number or too large to hold.
 */
export function nanodollarsFromDollars(dollars: number | string): Nanodollars {
  const amount = typeof dollars === 'string' ? Number(dollars.trim() === '' ? Number.NaN : dollars) : dollars;
  if (!Number.isFinite(amount)) throw new RangeError(`not an amount of dollars: ${String(dollars)}`);
  return assertNanodollars(Math.round(amount * nanodollarsPerDollar));
}

export function dollarsFromNanodollars(amount: Nanodollars): number {
  return amount / nanodollarsPerDollar;
}

/** Plain decimal dollars without an exponent and without trailing zeros, for messages and headers: `0.00031`. */
export function formatDollars(amount: Nanodollars): string {
  return amount % nanodollarsPerDollar === 0 ? `${amount / nanodollarsPerDollar}.0` : decimalText(amount, 9);
}
