import { expect, test } from 'vitest';
import { costOf, isFree, type Price, upperBoundOf } from '../core/price.ts';
import { noUsage, type UsageUnits } from '../core/usage.ts';
import { Findings } from './findings.ts';
import { Origins } from './origin.ts';
import { readPriceSettings } from './price-settings.ts';
import { priceFromSettings } from './prices.ts';

function priceOf(keys: Record<string, number>): Price {
  const written = readPriceSettings(keys, {}, [], [], new Findings('test', {}, new Origins()));
  return priceFromSettings(written!, null, false)!;
}

/** Price keys as in price lists, what was used, and the cost in nano-dollars, worked out by hand. */
const vectors: readonly (readonly [Record<string, number>, UsageUnits, number])[] = [
  // $0.006 a minute, 12.34 s
  [{ input_cost_per_second: 0.0001 }, { audioMs: 12_340 }, 1_234_000],
  [{ input_cost_per_second: 0.0001, output_cost_per_second: 0.0001 }, { audioMs: 12_340 }, 1_234_000],
  [{ input_cost_per_second: 0, output_cost_per_second: 0.0001 }, { audioMs: 1_000 }, 100_000],
  // $15 for a million characters
  [{ input_cost_per_character: 0.000015 }, { characters: 4_096 }, 61_440_000],
  [{ input_cost_per_character: 0.000015 }, { characters: 1 }, 15_000],
  // $0.04 an image
  [{ output_cost_per_image: 0.04 }, { images: 3 }, 120_000_000],
  [{ input_cost_per_image: 0.04, output_cost_per_image: 0 }, { images: 1 }, 40_000_000],
  // 1,048,576 pixels at $0.000000019
  [{ input_cost_per_pixel: 1.9e-8, output_cost_per_pixel: 0 }, { images: 1, imageKind: '1024x1024' }, 19_922_944],
  [{ input_cost_per_pixel: 1.9e-8 }, { images: 2, imageKind: 'hd/1792x1024' }, 69_730_304],
  // $2 for 1,000 searches
  [{ input_cost_per_query: 0.002 }, { queries: 2 }, 4_000_000],
  [{ ocr_cost_per_page: 0.001 }, { pages: 7 }, 7_000_000],
  // a third of a nano-dollar is rounded up, once
  [{ input_cost_per_second: 3.33e-10 }, { audioMs: 1_000 }, 1],
];

test.each(vectors)('%j × %j', (keys, units, expected) => {
  const price = priceOf(keys);
  expect(costOf({ ...noUsage, units }, price)).toBe(expected);
  expect(upperBoundOf(price, 0, 0, 0, units)).toBe(expected);
  expect(isFree(price)).toBe(false);
});

test('units are paid beside tokens', () => {
  const price = priceOf({ input_cost_per_token: 1e-6, output_cost_per_token: 2e-6, output_cost_per_image: 0.01 });
  expect(costOf({ ...noUsage, inputTokens: 10, outputTokens: 5, units: { images: 1 } }, price)).toBe(10_020_000);
});

test('an image is priced by quality and size, then size, then quality; the dearest when nobody says', () => {
  const units = { imageKinds: { 'hd/1024x1024': 8e13, '1024x1024': 4e13, low: 1e13 } };
  const price = { ...priceOf({ output_cost_per_image: 0 }), units };
  const costs = (imageKind?: string) =>
    costOf({ ...noUsage, units: { images: 1, ...(imageKind && { imageKind }) } }, price);
  expect([costs('hd/1024x1024'), costs('standard/1024x1024'), costs('low/9x9'), costs()]).toEqual([
    80_000_000, 40_000_000, 10_000_000, 80_000_000,
  ]);
});

test('a price of 0 is free', () => {
  expect(isFree(priceOf({ input_cost_per_second: 0 }))).toBe(true);
});
