import { createRequire } from 'node:module';
import * as tokenizerModels from 'gpt-tokenizer/models';
import { LRUCache } from 'lru-cache';
import type { Price, TokenRates } from '../core/price.ts';
import type { Capabilities } from '../core/route.ts';
import { assemblePrice, type PartialRates, type RateName, ratesAt } from './prices.ts';

/** What is publicly known of a model; null where it is not. */
export interface CatalogueEntry {
  readonly price: Price | null;
  readonly inputTokensMax: number | null;
  readonly outputTokensMax: number | null;
  readonly mode: string | null;
  readonly capabilities: Capabilities;
}

export interface Catalogue {
  /** `catalogueIds` are the provider's names in the catalogue, tried in order; undefined when none knows the model. */
  find(catalogueIds: readonly string[], model: string): CatalogueEntry | undefined;
}

/** The newer catalogue wins: an operator's price file before the bundled prices. */
export function layered(...catalogues: readonly Catalogue[]): Catalogue {
  return {
    find(catalogueIds, model) {
      for (const catalogue of catalogues) {
        const entry = catalogue.find(catalogueIds, model);
        if (entry !== undefined) return entry;
      }
      return undefined;
    },
  };
}

type BundledPrices = Readonly<
  Record<string, number | { base: number; tiers: { start: number; price: number }[] } | undefined>
>;
interface BundledModel {
  readonly id: string;
  readonly context_window?: number;
  readonly prices:
    | BundledPrices
    | { readonly constraint?: { readonly type: string }; readonly prices: BundledPrices }[];
}
interface BundledLibrary {
  calcPrice(
    usage: object,
    model: string,
    options: { providerId: string; timestamp: Date },
  ): { model: BundledModel; model_price: BundledPrices; provider: { id: string } } | null;
}
const longestAnswers = tokenizerModels as Readonly<
  Record<string, { readonly max_output_tokens?: number | null } | undefined>
>;

const rateNames: Readonly<Record<string, RateName>> = {
  input_mtok: 'input',
  output_mtok: 'output',
  cache_read_mtok: 'cacheRead',
  cache_write_mtok: 'cacheWrite',
  cache_write_1h_mtok: 'cacheWriteLong',
  input_audio_mtok: 'inputAudio',
  input_image_mtok: 'inputImage',
  output_reasoning_mtok: 'reasoning',
  output_audio_mtok: 'outputAudio',
};

const rememberedMax = 5_000;

/** `gpt-4o-2024-08-06`, `claude-3-haiku-20240307`, `gemini-2.0-flash@20250205`: the same model without its date. */
const dated = /[-@](?:\d{4}-\d{2}-\d{2}|\d{8})$/;

/**
 * The prices bundled with the `@pydantic/genai-prices` package, as they were on `date` (unix milliseconds), in whole nano-dollars per
 * million tokens; context sizes from there, longest answers from `gpt-tokenizer`'s model list. The prices are loaded at
 * the first look-up; answers are remembered.
 */
export function bundledCatalogue(date: number): Catalogue {
  const load = createRequire(import.meta.url);
  let library: BundledLibrary | undefined;
  // Callers name models through wildcards, so what is remembered is bounded.
  const known = new LRUCache<string, { readonly entry: CatalogueEntry | null }>({ max: rememberedMax });

  const look = (catalogueId: string, model: string): CatalogueEntry | null => {
    library ??= load('@pydantic/genai-prices') as BundledLibrary;
    const options = { providerId: catalogueId, timestamp: new Date(date) };
    const found = library.calcPrice({}, model, options) ?? library.calcPrice({}, model.replace(dated, ''), options);
    if (found === null) return null;
    return {
      price: bundledPrice(found.model, found.model_price, `catalogue:${found.provider.id}`),
      inputTokensMax: found.model.context_window ?? null,
      outputTokensMax: (longestAnswers[model] ?? longestAnswers[found.model.id])?.max_output_tokens ?? null,
      mode: null,
      capabilities: {},
    };
  };
  return {
    find(catalogueIds, model) {
      for (const catalogueId of catalogueIds) {
        const key = `${catalogueId}/${model}`;
        let found = known.get(key);
        if (found === undefined) {
          found = { entry: look(catalogueId, model) };
          known.set(key, found);
        }
        if (found.entry !== null) return found.entry;
      }
      return undefined;
    },
  };
}

/** null when the model is not paid by the token. */
function bundledPrice(model: BundledModel, current: BundledPrices, source: string): Price | null {
  const prices = dearestHours(model, current);
  const base: PartialRates = {};
  const byTier = new Map<number, PartialRates>();
  for (const [key, value] of Object.entries(prices)) {
    const name = rateNames[key];
    if (name === undefined || value === undefined) continue;
    if (typeof value === 'number') base[name] = nanodollarsPerMillion(value);
    else {
      base[name] = nanodollarsPerMillion(value.base);
      for (const tier of value.tiers) ratesAt(byTier, tier.start)[name] = nanodollarsPerMillion(tier.price);
    }
  }
  if (base.input === undefined && base.output === undefined && model.id.endsWith(':free')) base.input = 0;
  if (base.input === undefined) return null;
  // Only models without an answer to pay for (embeddings) have no output price.
  base.output ??= 0;
  fillTiers(byTier);
  return assemblePrice(base as TokenRates, byTier, new Map(), new Map(), {
    inherited: null,
    perRequest: perThousand(prices.requests_kcount),
    perWebSearchCall: perThousand(prices.web_searches_kcount),
    source,
  });
}

/** A class whose own tiers begin lower keeps its price in the higher tiers of other classes. */
function fillTiers(byTier: Map<number, PartialRates>): void {
  let below: PartialRates = {};
  for (const start of [...byTier.keys()].sort((a, b) => a - b)) {
    below = { ...below, ...byTier.get(start) };
    byTier.set(start, below);
  }
}

/** Prices by the hour of the day: a request is priced when it is admitted, so the dearest hours count. */
function dearestHours(model: BundledModel, current: BundledPrices): BundledPrices {
  if (!Array.isArray(model.prices)) return current;
  const byHour = model.prices.filter((entry) => entry.constraint?.type === 'time_of_date');
  if (byHour.length === 0) return current;
  const output = (prices: BundledPrices) => (typeof prices.output_mtok === 'number' ? prices.output_mtok : 0);
  return byHour.map((entry) => entry.prices).reduce((a, b) => (output(b) > output(a) ? b : a), current);
}

function nanodollarsPerMillion(dollars: number): number {
  return Math.round(dollars * 1e9);
}

function perThousand(value: BundledPrices[string]): number {
  return typeof value === 'number' ? Math.round(value * 1e6) : 0;
}
