import type { Path } from './diagnostic.ts';
import { dollars } from './field.ts';
import type { Findings } from './findings.ts';
import { type OffPeakSettings, readOffPeak } from './off-peak.ts';
import { type PriceFactors, readPriceFactors } from './price-factors.ts';
import { isMap } from './read-file.ts';
import { describe } from './read-value.ts';
import { gpuPriceKeys, type PriceKeyParts, parsePriceKey } from './schema/price-keys.ts';
import { type PriceRange, readPriceRanges } from './tiered-prices.ts';

export interface PriceSetting extends PriceKeyParts {
  /** US dollars for one unit, or for a million where `isPerMillion`. */
  readonly dollars: number;
}

export interface PriceSettings {
  readonly settings: readonly PriceSetting[];
  readonly gpu: { readonly costPerHour: number; readonly tokensPerSecond: number } | null;
  /** US dollars for one web search the provider runs. */
  readonly webSearchDollars: number | null;
  /** Prices by the length of the input; they stand before the token prices of `settings`. */
  readonly ranges: readonly PriceRange[];
  readonly offPeak: OffPeakSettings | null;
  readonly factors: PriceFactors;
}

const amount = dollars();

/** Dollars for one token beyond which a price is surely a mistake in its unit (per million written as per token). */
const tokenDollarsMax = 1;

/** The prices written at a deployment: `litellm_params` win over `model_info`. Undefined when one of them is not a price. */
export function readPriceSettings(
  params: unknown,
  info: unknown,
  paramsPath: Path,
  infoPath: Path,
  findings: Findings,
): PriceSettings | undefined {
  const settings = new Map<string, PriceSetting>();
  const gpu: Record<string, number> = {};
  let webSearchDollars: number | null = null;
  let ranges: readonly PriceRange[] = [];
  let offPeak: OffPeakSettings | null = null;
  let factors: PriceFactors = {};
  let isValid = true;
  const refuse = (path: Path, value: unknown, expected: string) => {
    findings.add('skipped', path, `found ${describe(value)}; deployment skipped`, { expected });
    isValid = false;
  };
  for (const [source, path] of [
    [info, infoPath],
    [params, paramsPath],
  ] as const) {
    if (!isMap(source)) continue;
    factors = { ...factors, ...readPriceFactors(source, path, refuse) };
    for (const [name, value] of Object.entries(source)) {
      if (value === null) continue;
      if (name === 'search_context_cost_per_query') {
        const medium = isMap(value) ? amount.safeParse(value.search_context_size_medium) : undefined;
        if (medium?.success) webSearchDollars = medium.data;
        continue;
      }
      if (name === 'tiered_pricing') {
        const read = readPriceRanges(value, [...path, name]);
        if (read !== undefined && 'expected' in read) refuse(read.path, read.value, read.expected);
        else ranges = read ?? ranges;
        continue;
      }
      if (name === 'off_peak_pricing') {
        offPeak = readOffPeak(value, [...path, name], findings, refuse);
        continue;
      }
      const parts = parsePriceKey(name);
      if (parts === undefined) continue;
      const read = amount.safeParse(value);
      if (!read.success) refuse([...path, name], value, 'US dollars from 0 to 9,000,000');
      else if (name in gpuPriceKeys) gpu[name] = read.data;
      else if (parts.base.includes('token') && !parts.isPerMillion && read.data > tokenDollarsMax) {
        refuse(
          [...path, name],
          value,
          `at most ${tokenDollarsMax} dollar for one token (is this a price per million tokens?)`,
        );
      } else
        settings.set(`${parts.base}|${parts.aboveTokens ?? ''}|${parts.serviceTier ?? ''}`, {
          ...parts,
          dollars: read.data,
        });
    }
  }
  const { gpu_cost_per_hour: costPerHour, tokens_per_second: tokensPerSecond } = gpu;
  if (costPerHour !== undefined && !(tokensPerSecond! > 0)) {
    refuse([...paramsPath, 'gpu_cost_per_hour'], costPerHour, '`tokens_per_second` above 0 beside `gpu_cost_per_hour`');
  }
  if (!isValid) return undefined;
  const hasGpu = costPerHour !== undefined && tokensPerSecond !== undefined;
  return {
    settings: [...settings.values()],
    gpu: hasGpu ? { costPerHour, tokensPerSecond } : null,
    webSearchDollars,
    ranges,
    offPeak,
    factors,
  };
}
