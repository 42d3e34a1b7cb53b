import type { Path } from './diagnostic.ts';
import { dollars } from './field.ts';
import type { Findings } from './findings.ts';
import { isMap } from './read-file.ts';
import { type PriceKeyParts, parsePriceKey } from './schema/price-keys.ts';

export interface OffPeakSettings {
  /** Milliseconds of the UTC day. */
  readonly windows: readonly { readonly from: number; readonly to: number }[];
  readonly settings: readonly (PriceKeyParts & { readonly dollars: number })[];
}

const amount = dollars();
const hours = /^(([01]\d|2[0-3]):[0-5]\d)-(([01]\d|2[0-3]):[0-5]\d)$/;

/**
 * `off_peak_pricing`: hours of every day (`hours_utc: "16:30-00:30"`, or a list of them) with token prices of their own. null
 * where it says more than that (weekdays): then the usual prices hold all day.
 */
export function readOffPeak(
  value: unknown,
  path: Path,
  findings: Findings,
  refuse: (path: Path, value: unknown, expected: string) => void,
): OffPeakSettings | null {
  if (!isMap(value)) {
    refuse(path, value, 'a map with `hours_utc` and prices');
    return null;
  }
  const settings = [];
  for (const [name, written] of Object.entries(value)) {
    if (name === 'hours_utc' || written === null) continue;
    const parts = parsePriceKey(name);
    const isTokens =
      parts?.base.includes('token') && parts.aboveTokens === undefined && parts.serviceTier === undefined;
    if (parts === undefined || !isTokens) {
      findings.add('warning', [...path, name], 'not active yet: the usual prices hold all day', { atKey: true });
      return null;
    }
    const read = amount.safeParse(written);
    if (!read.success || (!parts.isPerMillion && read.data > 1)) {
      refuse([...path, name], written, 'US dollars for one token');
      return null;
    }
    settings.push({ ...parts, dollars: read.data });
  }
  const windows = [];
  for (const written of Array.isArray(value.hours_utc) ? value.hours_utc : [value.hours_utc]) {
    const match = typeof written === 'string' ? hours.exec(written.trim()) : null;
    if (match === null) {
      refuse([...path, 'hours_utc'], written, 'hours of the day as "16:30-00:30", or a list of them');
      return null;
    }
    windows.push({ from: timeOfDay(match[1]!), to: timeOfDay(match[3]!) });
  }
  return { windows, settings };
}

function timeOfDay(text: string): number {
  const [hour, minute] = text.split(':').map(Number) as [number, number];
  return (hour * 60 + minute) * 60_000;
}
