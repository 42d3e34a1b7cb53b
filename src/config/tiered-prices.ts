import type { Price, PriceTier, TokenRates } from '../core/price.ts';
import type { Path } from './diagnostic.ts';
import { dollars } from './field.ts';
import { isMap } from './read-file.ts';
import { type PriceKeyParts, parsePriceKey } from './schema/price-keys.ts';

/** Prices of the inputs whose tokens are above `from`, up to where the next range begins; the last has no end. */
export interface PriceRange {
  readonly from: number;
  readonly settings: readonly (PriceKeyParts & { readonly dollars: number })[];
}

/** What is wrong with a value of `tiered_pricing`, and where. */
export interface RangeProblem {
  readonly path: Path;
  readonly value: unknown;
  readonly expected: string;
}

const amount = dollars();

/**
 * `tiered_pricing`: a list of `range: [from, to]` with prices of their own. The ranges begin at 0 and touch, so that every input
 * has one price. undefined for a list that is by something else than input tokens (`max_results_range`), which stays without effect.
 */
export function readPriceRanges(value: unknown, path: Path): readonly PriceRange[] | RangeProblem | undefined {
  if (!Array.isArray(value)) return { path, value, expected: 'a list of ranges with prices' };
  if (!value.some((entry) => isMap(entry) && 'range' in entry)) return undefined;
  const ranges: PriceRange[] = [];
  let end = 0;
  for (const [index, entry] of value.entries()) {
    const at = [...path, index];
    const range = isMap(entry) ? entry.range : undefined;
    if (!isMap(entry) || !Array.isArray(range) || range.length !== 2) {
      return { path: at, value: entry, expected: 'a map with `range: [from, to]` and prices' };
    }
    const [from, to] = range.map(Number) as [number, number];
    if (from !== end || !(to > from)) {
      return { path: [...at, 'range'], value: range, expected: `a range from ${end} on: they begin at 0 and touch` };
    }
    end = to;
    const settings = [];
    for (const [name, written] of Object.entries(entry)) {
      const parts = parsePriceKey(name);
      if (name === 'range' || written === null || parts === undefined) continue;
      const read = amount.safeParse(written);
      const isTokens =
        parts.base.includes('token') && parts.aboveTokens === undefined && parts.serviceTier === undefined;
      if (!read.success || !isTokens || (!parts.isPerMillion && read.data > 1)) {
        return { path: [...at, name], value: written, expected: 'US dollars for one token' };
      }
      settings.push({ ...parts, dollars: read.data });
    }
    if (!settings.some(({ base }) => base === 'input_cost_per_token')) {
      return { path: at, value: entry, expected: '`input_cost_per_token` in every range' };
    }
    ranges.push({ from, settings });
  }
  return ranges;
}

type Rates = Partial<TokenRates>;

/**
 * The whole request is priced at the range that its input falls into. A range says all its prices: what it lacks costs what
 * the range's input or output costs, but for its output price and for audio and images, which are then those beside the list.
 * null where nothing says the output price.
 */
export function priceOfRanges(
  ranges: readonly Rates[],
  from: readonly number[],
  beside: Rates,
): Omit<Price, 'source' | 'perRequest' | 'perWebSearchCall'> | null {
  const tiers: PriceTier[] = [];
  for (const [index, own] of ranges.entries()) {
    const output = own.output ?? beside.output;
    if (own.input === undefined || output === undefined) return null;
    const { inputAudio, inputImage, outputAudio, reasoning } = beside;
    const rates = {
      ...(inputAudio !== undefined && { inputAudio }),
      ...(inputImage !== undefined && { inputImage }),
      ...(outputAudio !== undefined && { outputAudio }),
      ...(reasoning !== undefined && own.output === undefined && { reasoning }),
      ...own,
      input: own.input,
      output,
    };
    tiers.push({ aboveInputTokens: from[index]!, rates: Object.freeze(rates) });
  }
  const [first, ...higher] = tiers;
  return first === undefined ? null : { rates: first.rates, tiers: higher, serviceTiers: {} };
}
