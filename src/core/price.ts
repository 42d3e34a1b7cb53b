import type { Nanodollars } from './money.ts';
import { assertNanodollars } from './money.ts';
import type { OffPeak } from './off-peak.ts';
import { type UnitRates, unitParts, unitsAreFree } from './unit-price.ts';
import type { Usage, UsageUnits } from './usage.ts';
import { totalInputTokens } from './usage.ts';

/** Whole nano-dollars per million tokens: exact for every list price. An absent class costs what its parent costs. */
export interface TokenRates {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  readonly cacheWriteLong?: number;
  readonly inputAudio?: number;
  readonly inputImage?: number;
  readonly reasoning?: number;
  readonly outputAudio?: number;
}

/** When the input is longer than the threshold the whole request is priced at these rates. */
export interface PriceTier {
  readonly aboveInputTokens: number;
  readonly rates: TokenRates;
  /** Rates by service tier above this threshold; a service tier that is absent costs `rates`. */
  readonly serviceTiers?: Readonly<Record<string, TokenRates>>;
}

export interface Price {
  readonly rates: TokenRates;
  /** Ascending by threshold; the highest one exceeded wins. */
  readonly tiers: readonly PriceTier[];
  /** Rates by service tier (`flex`, `priority`, `batch`), replacing `rates` when the provider reports that tier. */
  readonly serviceTiers: Readonly<Record<string, TokenRates>>;
  /** Thousandths by which every rate is multiplied for a service tier (`fast`: 6000) or a region (`us`: 1100); both may apply. */
  readonly multipliers?: Readonly<Record<string, number>>;
  /** Thousandths at addresses of one region. Only as long as the address is not known: a deployment's rates hold them. */
  readonly regionalUplifts?: Readonly<Partial<Record<'eu' | 'us' | 'endpoint', number>>>;
  readonly perRequest: Nanodollars;
  readonly perWebSearchCall: Nanodollars;
  /** Prices of what is not paid by the token. */
  readonly units?: UnitRates;
  /** Hours with other rates; `priceAt` gives the price of a time. */
  readonly offPeak?: OffPeak;
  /** Where the figures come from, for people: `config`, `gpu`, `catalogue:<id>`. */
  readonly source: string;
}

export const freePrice: Price = Object.freeze({
  rates: Object.freeze({ input: 0, output: 0 }),
  tiers: [],
  serviceTiers: {},
  perRequest: 0,
  perWebSearchCall: 0,
  source: 'config',
});

/** A price that can never charge: budget checks are skipped for it. */
export function isFree(price: Price): boolean {
  return (
    maximumRate(price, 'input') === 0 &&
    maximumRate(price, 'output') === 0 &&
    price.perRequest === 0 &&
    unitsAreFree(price.units)
  );
}

/** Flat list count, rate …: in pairs it would be ten lists for every request. */
type PricedParts = readonly number[];

/** The price of one answer in whole nano-dollars, rounded up once at the end. A provider's own figure takes precedence. */
export function costOf(usage: Usage, price: Price): Nanodollars {
  if (usage.providerCost !== undefined && usage.providerCost > 0) return usage.providerCost;
  const extra = price.perRequest + usage.webSearchCalls * price.perWebSearchCall;
  return assertNanodollars(tokenCost(pricedParts(usage, price)) + extra);
}

/** Names of the classes of tokens and units, in the order in which `pricedParts` lists them. */
const pricedClasses = [
  'input',
  'cache_read',
  'cache_write',
  'cache_write_1h',
  'input_audio',
  'input_image',
  'output',
  'reasoning',
  'output_audio',
  'characters',
  'images',
  'pixels',
  'audio_ms',
  'output_ms',
  'queries',
  'pages',
] as const;

export interface CostLine {
  readonly class: (typeof pricedClasses)[number];
  readonly tokens: number;
  /** Nano-dollars per million tokens. */
  readonly rate: number;
}

/** How `costOf` comes to its figure: the classes of tokens that were used, with the rates that applied. */
export function costLines(usage: Usage, price: Price): CostLine[] {
  const parts = pricedParts(usage, price);
  const lines: CostLine[] = [];
  for (let index = 0; index < parts.length; index += 2) {
    const tokens = parts[index]!;
    if (tokens !== 0) lines.push({ class: pricedClasses[index / 2]!, tokens, rate: parts[index + 1]! });
  }
  return lines;
}

function pricedParts(usage: Usage, price: Price): PricedParts {
  const parts = pricedTokens(usage, ratesFor(usage, price));
  if (usage.units === undefined || price.units === undefined) return parts;
  return [...parts, ...unitParts(usage.units, price.units)];
}

/** In the order of `pricedClasses`. */
function pricedTokens(usage: Usage, rates: TokenRates): PricedParts {
  const cacheWrite = rates.cacheWrite ?? rates.input;
  return [
    usage.inputTokens,
    rates.input,
    usage.cacheReadTokens,
    rates.cacheRead ?? rates.input,
    usage.cacheWriteTokens,
    cacheWrite,
    usage.cacheWriteLongTokens,
    rates.cacheWriteLong ?? cacheWrite,
    usage.inputAudioTokens,
    rates.inputAudio ?? rates.input,
    usage.inputImageTokens,
    rates.inputImage ?? rates.input,
    usage.outputTokens,
    rates.output,
    usage.reasoningTokens,
    rates.reasoning ?? rates.output,
    usage.outputAudioTokens,
    rates.outputAudio ?? rates.output,
  ];
}

/**
 * The most a request of at most these tokens can cost at this price: the dearest input class (a provider may write
 * caches without being asked), the dearest output class, over every tier and service tier it could reach, at any hour,
 * in any region; as `fast` only where it asks for that, which is several times the usual price.
 */
export function upperBoundOf(
  price: Price,
  inputTokensMax: number,
  outputTokensMax: number,
  webSearchCallsMax = 0,
  units?: UsageUnits,
  mayBeFast = true,
): Nanodollars {
  const dearest = dearestMultiplier(price, mayBeFast);
  const inputRate = multiplied(maximumRate(price, 'input', inputTokensMax), dearest);
  const outputRate = multiplied(maximumRate(price, 'output', inputTokensMax), dearest);
  const parts = [inputTokensMax, inputRate, outputTokensMax, outputRate];
  if (units !== undefined && price.units !== undefined) parts.push(...unitParts(units, price.units));
  return assertNanodollars(tokenCost(parts) + price.perRequest + webSearchCallsMax * price.perWebSearchCall);
}

/** Nano-dollars per million tokens of the dearest class on one side, over every tier reachable by that much input. */
export function maximumRate(price: Price, side: 'input' | 'output', inputTokensMax = Number.POSITIVE_INFINITY): number {
  let highest = dearest(price.rates, side);
  if (price.offPeak !== undefined) highest = Math.max(highest, dearest(price.offPeak.rates, side));
  for (const tier of price.tiers) {
    if (inputTokensMax <= tier.aboveInputTokens) continue;
    highest = Math.max(highest, dearest(tier.rates, side), dearestOfAll(tier.serviceTiers, side));
  }
  return Math.max(highest, dearestOfAll(price.serviceTiers, side));
}

function dearestOfAll(serviceTiers: PriceTier['serviceTiers'], side: 'input' | 'output'): number {
  let highest = 0;
  for (const name in serviceTiers) highest = Math.max(highest, dearest(serviceTiers[name]!, side));
  return highest;
}

function dearest(rates: Partial<TokenRates>, side: 'input' | 'output'): number {
  return side === 'input'
    ? Math.max(
        rates.input ?? 0,
        rates.cacheRead ?? 0,
        rates.cacheWrite ?? 0,
        rates.cacheWriteLong ?? 0,
        rates.inputAudio ?? 0,
        rates.inputImage ?? 0,
      )
    : Math.max(rates.output ?? 0, rates.reasoning ?? 0, rates.outputAudio ?? 0);
}

function ratesFor(usage: Usage, price: Price): TokenRates {
  const rates = ratesOfTier(usage, price);
  const { multipliers } = price;
  if (multipliers === undefined || usage.serviceTier === undefined) return rates;
  const ofTier = multiplierOf(multipliers, usage.serviceTier);
  const ofRegion = multiplierOf(multipliers, usage.region);
  const entries = Object.entries(rates).map(([name, rate]) => [name, multiplied(multiplied(rate, ofTier), ofRegion)]);
  return Object.fromEntries(entries) as TokenRates;
}

const unmultiplied = 1_000;

function multiplierOf(multipliers: Readonly<Record<string, number>>, name: string | undefined): number {
  return name !== undefined && Object.hasOwn(multipliers, name) ? multipliers[name]! : unmultiplied;
}

function multiplied(rate: number, thousandths: number): number {
  return thousandths === unmultiplied ? rate : Math.ceil((rate * thousandths) / unmultiplied);
}

/** The product of the dearest region's and, where that may be, that of fast answers. */
function dearestMultiplier({ multipliers }: Price, mayBeFast: boolean): number {
  if (multipliers === undefined) return unmultiplied;
  let ofRegion = unmultiplied;
  for (const name in multipliers) if (name !== fastTier) ofRegion = Math.max(ofRegion, multipliers[name]!);
  const ofTier = mayBeFast ? Math.max(unmultiplied, multiplierOf(multipliers, fastTier)) : unmultiplied;
  return (ofRegion * ofTier) / unmultiplied;
}

/** How Anthropic calls its dear and quick answers, and OpenAI since July 2026 what was `priority`. */
export const fastTier = 'fast';

function ratesOfTier(usage: Usage, price: Price): TokenRates {
  let reached: Pick<PriceTier, 'rates' | 'serviceTiers'> = price;
  if (price.tiers.length > 0) {
    const inputTokens = totalInputTokens(usage);
    for (const tier of price.tiers) if (inputTokens > tier.aboveInputTokens) reached = tier;
  }
  const { rates, serviceTiers } = reached;
  if (usage.serviceTier === undefined || serviceTiers === undefined) return rates;
  if (Object.hasOwn(serviceTiers, usage.serviceTier)) return serviceTiers[usage.serviceTier]!;
  return usage.serviceTier === fastTier ? (serviceTiers.priority ?? rates) : rates;
}

/** Sum of tokens × rate, divided by a million and rounded up; in BigInt only when a double could not hold the sum. */
function tokenCost(parts: PricedParts): Nanodollars {
  let sum = 0;
  for (let index = 0; index < parts.length; index += 2) sum += parts[index]! * parts[index + 1]!;
  if (sum <= Number.MAX_SAFE_INTEGER) return Math.ceil(sum / 1_000_000);
  let exact = 0n;
  for (let index = 0; index < parts.length; index += 2) exact += BigInt(parts[index]!) * BigInt(parts[index + 1]!);
  return Number((exact + 999_999n) / 1_000_000n);
}
