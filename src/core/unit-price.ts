import type { UsageUnits } from './usage.ts';

/** Whole nano-dollars per million units, as with tokens: exact for every list price. */
export interface UnitRates {
  readonly character?: number;
  readonly image?: number;
  /** By `quality/1024x1024`, `1024x1024` or quality, where these cost differently. */
  readonly imageKinds?: Readonly<Record<string, number>>;
  readonly pixel?: number;
  readonly audioMs?: number;
  readonly outputMs?: number;
  readonly query?: number;
  readonly page?: number;
}

const pixelsAssumed = 1024 * 1024;

/** What the units of an answer are paid with: flat list count, rate …, to be summed with the tokens. */
export function unitParts(units: UsageUnits, rates: UnitRates): number[] {
  const images = units.images ?? 0;
  return [
    ...[units.characters ?? 0, rates.character ?? 0],
    ...[images, imageRate(units.imageKind, rates)],
    ...[images * pixelsOf(units.imageKind), rates.pixel ?? 0],
    ...[units.audioMs ?? 0, rates.audioMs ?? 0],
    ...[units.outputMs ?? 0, rates.outputMs ?? 0],
    ...[units.queries ?? 0, rates.query ?? 0],
    ...[units.pages ?? 0, rates.page ?? 0],
  ];
}

export function unitsAreFree(rates: UnitRates | undefined): boolean {
  if (rates === undefined) return true;
  const { imageKinds = {}, ...single } = rates;
  return Object.values(single).every((rate) => rate === 0) && Object.values(imageKinds).every((rate) => rate === 0);
}

/** The price of exactly this quality and size, of the size, of the quality, of any image; the dearest when none is said. */
function imageRate(kind: string | undefined, { image, imageKinds }: UnitRates): number {
  if (imageKinds === undefined) return image ?? 0;
  if (kind !== undefined) {
    const [quality, size] = kind.includes('/') ? kind.split('/', 2) : [kind, kind];
    for (const name of [kind, size!, quality!]) if (Object.hasOwn(imageKinds, name)) return imageKinds[name]!;
  }
  return image ?? Math.max(0, ...Object.values(imageKinds));
}

function pixelsOf(kind: string | undefined): number {
  const match = /(\d{1,5})x(\d{1,5})$/.exec(kind ?? '');
  return match === null ? pixelsAssumed : Number(match[1]) * Number(match[2]);
}
