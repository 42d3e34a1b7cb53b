import type { UnitRates } from '../core/unit-price.ts';
import type { PriceSetting } from './price-settings.ts';

type RateName = Exclude<keyof UnitRates, 'imageKinds'>;

const perMillion = 1e15;
/** Prices by the second, kept by the millisecond. */
const perMillionMs = 1e12;

/** Price keys as units. Price lists write one side or the other (and 0 for the rest): of two keys for a unit the dearer counts. */
const units: readonly (readonly [key: string, unit: RateName, factor: number])[] = [
  ['input_cost_per_character', 'character', perMillion],
  ['output_cost_per_character', 'character', perMillion],
  ['output_cost_per_image', 'image', perMillion],
  ['input_cost_per_image', 'image', perMillion],
  ['output_cost_per_pixel', 'pixel', perMillion],
  ['input_cost_per_pixel', 'pixel', perMillion],
  ['input_cost_per_audio_per_second', 'audioMs', perMillionMs],
  ['input_cost_per_second', 'audioMs', perMillionMs],
  ['output_cost_per_second', 'audioMs', perMillionMs],
  ['output_cost_per_second', 'outputMs', perMillionMs],
  ['output_cost_per_video_per_second', 'outputMs', perMillionMs],
  ['input_cost_per_query', 'query', perMillion],
  ['ocr_cost_per_page', 'page', perMillion],
];

/** Price keys that a cost is made of. */
export const pricedUnits: ReadonlySet<string> = new Set(units.map(([key]) => key));

/** undefined when no price by a unit is among them. */
export function unitRatesOf(settings: readonly PriceSetting[]): UnitRates | undefined {
  const rates: Partial<Record<RateName, number>> = {};
  for (const [key, unit, factor] of units) {
    const setting = settings.find(({ base, serviceTier }) => base === key && serviceTier === undefined);
    if (setting !== undefined) rates[unit] = Math.max(rates[unit] ?? 0, Math.round(setting.dollars * factor));
  }
  return Object.keys(rates).length === 0 ? undefined : rates;
}
