import { z } from 'zod';
import type { Price } from '../core/price.ts';
import type { Path } from './diagnostic.ts';
import { isMap } from './read-file.ts';
import type { Tree } from './yaml-tree.ts';

export type PriceFactors = Pick<Price, 'multipliers' | 'regionalUplifts'>;

const factorMax = 1_000;
const factor = z
  .union([z.number(), z.string().trim().min(1).pipe(z.coerce.number())])
  .pipe(z.number().min(0.001).max(factorMax))
  .transform((written) => Math.round(written * 1_000));

const uplifts = [
  ['eu', 'regional_processing_uplift_multiplier_eu'],
  ['us', 'regional_processing_uplift_multiplier_us'],
  ['endpoint', 'regional_endpoint_uplift_multiplier'],
] as const;

/** What all token prices are multiplied by, and where. Those that are written are in it, no others. */
export function readPriceFactors(
  written: Tree,
  path: Path,
  refuse: (path: Path, value: unknown, expected: string) => void,
): PriceFactors {
  const regionalUplifts: Partial<Record<'eu' | 'us' | 'endpoint', number>> = {};
  for (const [place, name] of uplifts) {
    const value = written[name] ?? null;
    if (value === null) continue;
    const read = factor.safeParse(value);
    if (read.success) regionalUplifts[place] = read.data;
    else refuse([...path, name], value, `a factor from 0.001 to ${factorMax}, such as 1.1`);
  }
  const multipliers = multipliersIn(written.provider_specific_entry);
  return {
    ...(Object.keys(multipliers).length > 0 && { multipliers: Object.freeze(multipliers) }),
    ...(Object.keys(regionalUplifts).length > 0 && { regionalUplifts: Object.freeze(regionalUplifts) }),
  };
}

/** `{us: 1.1, fast: 6}`. It holds other facts of the provider's, too, which are no business of a price. */
function multipliersIn(entry: unknown): Record<string, number> {
  const multipliers: Record<string, number> = {};
  for (const [name, value] of Object.entries(isMap(entry) ? entry : {})) {
    const read = factor.safeParse(value);
    if (read.success) multipliers[name] = read.data;
  }
  return multipliers;
}
