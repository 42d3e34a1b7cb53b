import type { Duration } from './duration.ts';
import { parseDuration } from './duration.ts';
import { firstInstantAt, localTime } from './zone.ts';

export { lifetimeEnd, normaliseDuration } from './duration.ts';

/** One window of a budget: `start <= now < end`, unix milliseconds; `end` is null when it never ends. */
export interface BudgetWindow {
  readonly start: number;
  readonly end: number | null;
}

const secondMs = 1_000;
const hourMs = 3_600_000;
const dayMs = 86_400_000;
/** Monday 5 January 1970: blocks of days are counted from here, so that weeks begin on Mondays. */
const firstMonday = 4 * dayMs;
const cachedZonesMax = 1_000;
const cachedWindowsMax = 1_000;

const endless: BudgetWindow = Object.freeze({ start: 0, end: null });
const currentByZone = new Map<string, Map<string, BudgetWindow>>();

/**
 * The window that `now` lies in. It depends on nothing but the arguments, windows of one (duration, zone) touch without
 * gap or overlap, and they follow the zone's calendar: days begin at local midnight, weeks on Monday, `30d` and `1mo`
 * on the first of the month. docs/decisions/2026-11-22-budget-windows.md says how the rest is cut.
 * Throws RangeError for a duration or a zone that does not exist.
 */
export function windowOf(duration: string | null, timezone: string, now: number): BudgetWindow {
  if (duration === null) return endless;
  let currents = currentByZone.get(timezone);
  const current = currents?.get(duration);
  if (current !== undefined && now >= current.start && (current.end === null || now < current.end)) return current;
  const window = Object.freeze(findWindow(parseDuration(duration), timezone, now));
  if (currents === undefined) {
    if (currentByZone.size >= cachedZonesMax) currentByZone.clear();
    currents = new Map();
    currentByZone.set(timezone, currents);
  }
  if (currents.size >= cachedWindowsMax) currents.clear();
  currents.set(duration, window);
  return window;
}

function findWindow(duration: Duration | null, timezone: string, now: number): BudgetWindow {
  if (duration === null) return endless;
  const { count, unit } = duration;
  const local = localTime(timezone, now);
  switch (unit) {
    case 'y': {
      const year = new Date(local).getUTCFullYear();
      return between(timezone, now, year, (index) => Date.UTC(index, 0, 1));
    }
    case 'mo':
      return months(timezone, local, now);
    case 'd':
      return count === 30 ? months(timezone, local, now) : days(count, timezone, local, now);
    case 'h':
      return hours(count, timezone, local, now);
    case 'm':
      return seconds(count * 60, timezone, local, now);
    case 's':
      return seconds(count, timezone, local, now);
  }
}

function months(timezone: string, local: number, now: number): BudgetWindow {
  const date = new Date(local);
  const index = date.getUTCFullYear() * 12 + date.getUTCMonth();
  return between(timezone, now, index, (month) => Date.UTC(Math.floor(month / 12), month % 12, 1));
}

function days(count: number, timezone: string, local: number, now: number): BudgetWindow {
  const index = Math.floor((local - firstMonday) / (count * dayMs));
  return between(timezone, now, index, (block) => firstMonday + block * count * dayMs);
}

/** Hours on the wall clock that are multiples of `count`, from midnight anew each day. */
function hours(count: number, timezone: string, local: number, now: number): BudgetWindow {
  if (count === 1 || count >= 24) return seconds(count * 3_600, timezone, local, now);
  const perDay = Math.ceil(24 / count);
  const day = Math.floor(local / dayMs);
  const index = day * perDay + Math.floor((local - day * dayMs) / (count * hourMs));
  return between(timezone, now, index, (block) => {
    const blockDay = Math.floor(block / perDay);
    return blockDay * dayMs + (block - blockDay * perDay) * count * hourMs;
  });
}

/** Elapsed time: from midnight anew each day, or without a break when longer than a day. */
function seconds(count: number, timezone: string, local: number, now: number): BudgetWindow {
  const lengthMs = count * secondMs;
  if (lengthMs % dayMs === 0) {
    const dayCount = lengthMs / dayMs;
    return dayCount === 30 ? months(timezone, local, now) : days(dayCount, timezone, local, now);
  }
  const longer = lengthMs > dayMs;
  const day = longer ? null : windowOf('1d', timezone, now);
  const origin = day?.start ?? firstInstantAt(timezone, firstMonday);
  const start = origin + Math.floor((now - origin) / lengthMs) * lengthMs;
  return { start, end: Math.min(start + lengthMs, day?.end ?? Number.POSITIVE_INFINITY) };
}

/** The two neighbouring boundaries around `now`; where the clock goes back over a boundary the guess may be one off. */
function between(timezone: string, now: number, guess: number, boundary: (index: number) => number): BudgetWindow {
  let index = guess;
  let start = firstInstantAt(timezone, boundary(index));
  while (start > now) {
    index -= 1;
    start = firstInstantAt(timezone, boundary(index));
  }
  for (;;) {
    const end = firstInstantAt(timezone, boundary(index + 1));
    if (now < end) return { start, end };
    index += 1;
    start = end;
  }
}
