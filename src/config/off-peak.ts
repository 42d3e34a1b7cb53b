import type { OffPeakWindow } from '../core/off-peak.ts';
import type { Path } from './diagnostic.ts';
import { dollars, timezone } from './field.ts';
import type { Findings } from './findings.ts';
import { isMap } from './read-file.ts';
import { type PriceKeyParts, parsePriceKey } from './schema/price-keys.ts';

export interface OffPeakSettings {
  readonly windows: readonly OffPeakWindow[];
  readonly weekdayZone: string;
  readonly settings: readonly (PriceKeyParts & { readonly dollars: number })[];
}

type Refuse = (path: Path, value: unknown, expected: string) => void;

const amount = dollars();
const zone = timezone();
const hours = /^(([01]\d|2[0-3]):[0-5]\d)-(([01]\d|2[0-3]):[0-5]\d)$/;
const weekdayNames = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const dayMs = 86_400_000;
const whenKeys: ReadonlySet<string> = new Set(['hours_utc', 'windows', 'weekdays', 'weekday_timezone']);
const ruleKeys: ReadonlySet<string> = new Set(['hours_utc', 'weekdays', 'override_dates']);

/**
 * `off_peak_pricing`: hours with token prices of their own, of every day (`hours_utc: "16:30-00:30"`, or a list of them) or of
 * some (`weekdays: [1, "sat"]`), also several such rules in `windows`, and for single days (`override_dates`) rules that
 * replace all others on them. null where it says more than that: then the usual prices hold all day.
 */
export function readOffPeak(value: unknown, path: Path, findings: Findings, refuse: Refuse): OffPeakSettings | null {
  if (!isMap(value)) {
    refuse(path, value, 'a map with `hours_utc` and prices');
    return null;
  }
  const settings = [];
  for (const [name, written] of Object.entries(value)) {
    if (whenKeys.has(name) || written === null) continue;
    const parts = parsePriceKey(name);
    const isTokens =
      parts?.base.includes('token') && parts.aboveTokens === undefined && parts.serviceTier === undefined;
    if (parts === undefined || !isTokens) return inactive([...path, name], findings);
    const read = amount.safeParse(written);
    if (!read.success || (!parts.isPerMillion && read.data > 1)) {
      refuse([...path, name], written, 'US dollars for one token');
      return null;
    }
    settings.push({ ...parts, dollars: read.data });
  }
  const weekdayZone = value.weekday_timezone ?? 'UTC';
  if (!zone.safeParse(weekdayZone).success) {
    refuse([...path, 'weekday_timezone'], weekdayZone, 'a time zone such as UTC or Asia/Shanghai');
    return null;
  }
  const windows = readWindows(value, path, findings, refuse);
  return windows === null ? null : { windows, weekdayZone: String(weekdayZone), settings };
}

/** Its own hours, and those of each rule in `windows`. */
function readWindows(
  value: Readonly<Record<string, unknown>>,
  path: Path,
  findings: Findings,
  refuse: Refuse,
): OffPeakWindow[] | null {
  const rules = value.windows ?? [];
  if (!Array.isArray(rules) || (rules.length === 0 && value.windows !== undefined)) {
    refuse([...path, 'windows'], rules, 'a list of rules, each with `hours_utc` and maybe `weekdays`');
    return null;
  }
  const windows: OffPeakWindow[] = [];
  const own = value.hours_utc === undefined && rules.length > 0 ? [] : [[value, path] as const];
  for (const [rule, at] of [...own, ...rules.map((one, index) => [one, [...path, 'windows', index]] as const)]) {
    if (!isMap(rule)) {
      refuse(at, rule, 'a map with `hours_utc` and maybe `weekdays`');
      return null;
    }
    const unknown = rule === value ? undefined : Object.keys(rule).find((name) => !ruleKeys.has(name));
    if (unknown !== undefined) return inactive([...at, unknown], findings);
    const weekdays = weekdaysIn(rule.weekdays);
    if (weekdays === undefined) {
      refuse([...at, 'weekdays'], rule.weekdays, 'a list of days from 1 (Monday) to 7, or their names');
      return null;
    }
    const days = rule === value ? null : daysIn(rule.override_dates);
    if (days === undefined) {
      refuse([...at, 'override_dates'], rule.override_dates, 'a list of dates such as "2026-12-25"');
      return null;
    }
    for (const written of Array.isArray(rule.hours_utc) ? rule.hours_utc : [rule.hours_utc]) {
      const match = typeof written === 'string' ? hours.exec(written.trim()) : null;
      if (match === null) {
        refuse([...at, 'hours_utc'], written, 'hours of the day as "16:30-00:30", or a list of them');
        return null;
      }
      windows.push({ from: timeOfDay(match[1]!), to: timeOfDay(match[3]!), weekdays, days });
    }
  }
  return windows;
}

/** null = every day; undefined where it is no list of weekdays. */
function weekdaysIn(value: unknown): ReadonlySet<number> | null | undefined {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const days = value.map((day) =>
    typeof day === 'string' ? weekdayNames.indexOf(day.trim().slice(0, 3).toLowerCase()) + 1 : Number(day),
  );
  return days.every((day) => Number.isInteger(day) && day >= 1 && day <= 7) ? new Set(days) : undefined;
}

/** Days since 1970; null = no single days; undefined where a date is none that a calendar has. */
function daysIn(value: unknown): ReadonlySet<number> | null | undefined {
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const days = value.map((date) => {
    const start = typeof date === 'string' ? Date.parse(`${date}T00:00:00Z`) : Number.NaN;
    return !Number.isNaN(start) && new Date(start).toISOString().startsWith(date) ? start / dayMs : undefined;
  });
  return days.every((day) => day !== undefined) ? new Set(days) : undefined;
}

function inactive(path: Path, findings: Findings): null {
  findings.add('warning', path, 'not active yet: the usual prices hold all day', { atKey: true });
  return null;
}

function timeOfDay(text: string): number {
  const [hour, minute] = text.split(':').map(Number) as [number, number];
  return (hour * 60 + minute) * 60_000;
}
