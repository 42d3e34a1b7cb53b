import type { Price, PriceTier, TokenRates } from '../core/price.ts';
import type { UnitRates } from '../core/unit-price.ts';
import type { PriceSetting, PriceSettings } from './price-settings.ts';
import { priceOfRanges } from './tiered-prices.ts';
import { unitRatesOf } from './unit-rates.ts';

/** Nano-dollars per million tokens in one dollar per token, and in one dollar per million tokens. */
const perTokenFactor = 1e15;
const perMillionFactor = 1e9;

export type RateName = keyof TokenRates;
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
export type PartialRates = Partial<Mutable<TokenRates>>;
/** Figures that are written for one threshold and one service tier together. */
type BothRates = Map<number, Map<string, PartialRates>>;

const rateNames: Readonly<Record<string, RateName>> = {
  input_cost_per_token: 'input',
  output_cost_per_token: 'output',
  cache_read_input_token_cost: 'cacheRead',
  cache_creation_input_token_cost: 'cacheWrite',
  cache_creation_input_token_cost_above_1hr: 'cacheWriteLong',
  input_cost_per_audio_token: 'inputAudio',
  input_cost_per_image_token: 'inputImage',
  output_cost_per_reasoning_token: 'reasoning',
  output_cost_per_audio_token: 'outputAudio',
};

const serviceTierNames = { flex: 'flex', priority: 'priority', batches: 'batch' } as const;

/**
 * The price an operator wrote, over what is otherwise known of the model. An input and an output price together stand alone:
 * nothing of `known` is mixed in. Fewer than that replace single figures of `known`. null when no figure for both
 * sides is known (`outputIsFree` says that there is nothing to pay on the output side, as with embeddings).
 */
export function priceFromSettings(written: PriceSettings, known: Price | null, outputIsFree: boolean): Price | null {
  if (written.gpu !== null) return gpuPrice(written.gpu);
  const listed = usualPrice(written, known, outputIsFree);
  const usual =
    listed === null || Object.keys(written.factors).length === 0
      ? listed
      : Object.freeze({ ...listed, ...written.factors });
  if (usual === null || written.offPeak === null) return usual;
  const { windows, weekdayZone, settings } = written.offPeak;
  return Object.freeze({
    ...usual,
    offPeak: Object.freeze({ windows, weekdayZone, rates: ratesOf(settings) }),
    source: 'config',
  });
}

function usualPrice(written: PriceSettings, known: Price | null, outputIsFree: boolean): Price | null {
  const base: PartialRates = {};
  const byTier = new Map<number, PartialRates>();
  const byService = new Map<string, PartialRates>();
  const byBoth: BothRates = new Map();
  for (const { aboveTokens, serviceTier, ...setting } of written.settings) {
    const name = rateNames[setting.base];
    if (name === undefined) continue;
    const service = serviceTier === undefined ? undefined : serviceTierNames[serviceTier];
    if (aboveTokens !== undefined) ratesAt(byTier, aboveTokens);
    if (service !== undefined) ratesAt(byService, service);
    if (aboveTokens !== undefined && service !== undefined) {
      ratesAt(tiersAt(byBoth, aboveTokens), service)[name] = rateOf(setting);
    } else if (service !== undefined) ratesAt(byService, service)[name] = rateOf(setting);
    else if (aboveTokens !== undefined) ratesAt(byTier, aboveTokens)[name] = rateOf(setting);
    else base[name] = rateOf(setting);
  }
  if (written.ranges.length > 0) return rangedPrice(written, base, known, outputIsFree);
  const isWritten = Object.keys(base).length + byTier.size + byService.size > 0;
  const units = unitRatesOf(written.settings);
  if (!isWritten && written.webSearchDollars === null && units === undefined) return known;
  if (units !== undefined && known === null) {
    base.input ??= 0;
    base.output ??= 0;
  }
  if (outputIsFree && base.input !== undefined) base.output ??= 0;

  const standsAlone = base.input !== undefined && base.output !== undefined;
  const rates = standsAlone ? (base as TokenRates) : known === null ? null : { ...known.rates, ...base };
  if (rates === null) return null;
  return assemblePrice(rates, byTier, byService, byBoth, {
    inherited: standsAlone ? null : known,
    perRequest: standsAlone ? 0 : (known?.perRequest ?? 0),
    perWebSearchCall: searchCost(written, known),
    units: units ?? (standsAlone ? undefined : known?.units),
    source: 'config',
  });
}

function rangedPrice(
  written: PriceSettings,
  base: PartialRates,
  known: Price | null,
  outputIsFree: boolean,
): Price | null {
  const output = base.output ?? known?.rates.output ?? (outputIsFree ? 0 : undefined);
  const rates = written.ranges.map(({ settings }) => ratesOf(settings));
  const beside = output === undefined ? base : { ...base, output };
  const price = priceOfRanges(
    rates,
    written.ranges.map(({ from }) => from),
    beside,
  );
  if (price === null) return null;
  const units = unitRatesOf(written.settings);
  return Object.freeze({
    ...price,
    perRequest: 0,
    perWebSearchCall: searchCost(written, known),
    ...(units !== undefined && { units: Object.freeze(units) }),
    source: 'config',
  });
}

function ratesOf(settings: readonly PriceSetting[]): PartialRates {
  const rates: PartialRates = {};
  for (const setting of settings) {
    const name = rateNames[setting.base];
    if (name !== undefined) rates[name] = rateOf(setting);
  }
  return rates;
}

function searchCost({ webSearchDollars }: PriceSettings, known: Price | null): number {
  return webSearchDollars === null ? (known?.perWebSearchCall ?? 0) : Math.round(webSearchDollars * 1e9);
}

/**
 * Puts the pieces of a price together: a tier or service tier without a figure of its own takes the base figure; a service
 * tier without one above a threshold takes the dearer of its own and the threshold's.
 */
export function assemblePrice(
  rates: TokenRates,
  byTier: ReadonlyMap<number, PartialRates>,
  byService: ReadonlyMap<string, PartialRates>,
  byBoth: BothRates,
  rest: {
    inherited: Price | null;
    perRequest: number;
    perWebSearchCall: number;
    units?: UnitRates | undefined;
    source: string;
  },
): Price {
  const serviceTiers: Record<string, TokenRates> = { ...rest.inherited?.serviceTiers };
  for (const [name, own] of byService) serviceTiers[name] = Object.freeze({ ...rates, ...own });
  const ownTiers = [...byTier]
    .sort(([a], [b]) => a - b)
    .map(([aboveInputTokens, own]) => ({ aboveInputTokens, rates: Object.freeze({ ...rates, ...own }) }));
  const tiers = (ownTiers.length > 0 ? ownTiers : (rest.inherited?.tiers ?? [])).map((tier): PriceTier => {
    if (Object.keys(serviceTiers).length === 0) return tier;
    const ofTier: Record<string, TokenRates> = {};
    for (const [name, service] of Object.entries(serviceTiers)) {
      ofTier[name] = Object.freeze({
        ...dearerOf(tier.rates, service),
        ...byBoth.get(tier.aboveInputTokens)?.get(name),
      });
    }
    return Object.freeze({ ...tier, serviceTiers: ofTier });
  });
  return Object.freeze({
    rates: Object.freeze(rates),
    tiers,
    serviceTiers,
    perRequest: rest.perRequest,
    perWebSearchCall: rest.perWebSearchCall,
    ...(rest.units !== undefined && { units: Object.freeze(rest.units) }),
    ...(rest.inherited?.multipliers !== undefined && { multipliers: rest.inherited.multipliers }),
    ...(rest.inherited?.regionalUplifts !== undefined && { regionalUplifts: rest.inherited.regionalUplifts }),
    source: rest.source,
  });
}

function dearerOf(one: TokenRates, other: TokenRates): TokenRates {
  const dearer: Mutable<TokenRates> = { ...one };
  for (const name of Object.keys(other) as RateName[]) dearer[name] = Math.max(one[name] ?? 0, other[name] ?? 0);
  return dearer;
}

/** A token of self-hosted hardware costs its hourly price over the tokens it serves in an hour, in or out alike. */
function gpuPrice(gpu: { readonly costPerHour: number; readonly tokensPerSecond: number }): Price {
  const rate = Math.ceil((gpu.costPerHour / 3600 / gpu.tokensPerSecond) * perTokenFactor);
  return Object.freeze({
    rates: Object.freeze({ input: rate, output: rate }),
    tiers: [],
    serviceTiers: {},
    perRequest: 0,
    perWebSearchCall: 0,
    source: 'gpu',
  });
}

function rateOf(setting: PriceSetting): number {
  return Math.round(setting.dollars * (setting.isPerMillion ? perMillionFactor : perTokenFactor));
}

function tiersAt(byBoth: BothRates, aboveTokens: number): Map<string, PartialRates> {
  const existing = byBoth.get(aboveTokens);
  if (existing !== undefined) return existing;
  const created = new Map<string, PartialRates>();
  byBoth.set(aboveTokens, created);
  return created;
}

export function ratesAt<K>(map: Map<K, PartialRates>, key: K): PartialRates {
  const existing = map.get(key);
  if (existing !== undefined) return existing;
  const created: PartialRates = {};
  map.set(key, created);
  return created;
}
