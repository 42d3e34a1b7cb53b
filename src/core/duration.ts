/*
 * Durations as operators write them: `30s`, `5m`, `24h`, `7d`, `1w`, `1mo`, the words `hourly` … `yearly`; an empty
 * text and `None` mean "no duration".
 */

export type DurationUnit = 's' | 'm' | 'h' | 'd' | 'mo' | 'y';

export interface Duration {
  readonly count: number;
  readonly unit: DurationUnit;
}

const words: Readonly<Record<string, string>> = {
  hourly: '1h',
  daily: '1d',
  weekly: '7d',
  monthly: '1mo',
  yearly: '1y',
};

const unitSeconds = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800, mo: 2_678_400, y: 31_622_400 } as const;

const secondsMax = 100 * unitSeconds.y;

/**
 * The one spelling of a budget's window: windows that are the same have the same text (`24h` = `daily` = `1d`,
 * `1w` = `7d`, `30d` = `monthly` = `1mo`). `null` for no window. Throws RangeError with a sentence for the operator.
 */
export function normaliseDuration(text: string | null | undefined): string | null {
  const duration = parseDuration(text);
  if (duration === null) return null;
  const { count, unit } = duration;
  if (unit === 'mo' || unit === 'y') {
    if (count === 1) return `1${unit}`;
    throw new RangeError(
      `budget window '${text}' is not supported: only whole calendar months and years, 1mo or 1y, or days such as 90d`,
    );
  }
  const seconds = count * unitSeconds[unit];
  if (seconds === 30 * unitSeconds.d) return '1mo';
  for (const coarser of ['d', 'h', 'm'] as const) {
    if (seconds % unitSeconds[coarser] === 0) return `${seconds / unitSeconds[coarser]}${coarser}`;
  }
  return `${seconds}s`;
}

/** Unix milliseconds when something that lives this long from `from` ends; months keep the day, clamped to the month's end (UTC). */
export function lifetimeEnd(text: string | null | undefined, from: number): number | null {
  const duration = parseDuration(text);
  if (duration === null) return null;
  const { count, unit } = duration;
  if (unit !== 'mo' && unit !== 'y') return from + count * unitSeconds[unit] * 1_000;
  const date = new Date(from);
  const months = date.getUTCMonth() + (unit === 'y' ? 12 * count : count);
  const daysInMonth = new Date(Date.UTC(date.getUTCFullYear(), months + 1, 0)).getUTCDate();
  const day = Math.min(date.getUTCDate(), daysInMonth);
  return Date.UTC(date.getUTCFullYear(), months, day) + (from - Math.floor(from / 86_400_000) * 86_400_000);
}

/** Reads a duration; weeks become days. `null` for none. Throws RangeError when it is not a duration. */
export function parseDuration(text: string | null | undefined): Duration | null {
  if (text === null || text === undefined) return null;
  const trimmed = text.trim();
  if (trimmed === '' || trimmed === 'None') return null;
  const match = /^(\d{1,12})(s|m|h|d|w|mo|y)$/.exec(words[trimmed.toLowerCase()] ?? trimmed);
  const count = Number(match?.[1]);
  const unit = match?.[2] as keyof typeof unitSeconds | undefined;
  if (unit === undefined || count < 1) {
    throw new RangeError(
      `'${text}' is not a duration: a whole number and a unit (s, m, h, d, w, mo, y) such as 30s, 24h, 7d, 1mo, or hourly, daily, weekly, monthly, yearly`,
    );
  }
  if (count * unitSeconds[unit] > secondsMax) throw new RangeError(`duration '${text}' is longer than 100 years`);
  return unit === 'w' ? { count: count * 7, unit: 'd' } : { count, unit };
}
