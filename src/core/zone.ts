/*
 * Wall-clock time in an IANA zone. "Local milliseconds" are what the wall clock shows, read as if it were UTC, so that
 * calendar arithmetic is Date.UTC arithmetic.
 */

const dayMs = 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();

/** What the wall clock shows at a unix millisecond, as local milliseconds. Throws RangeError for an unknown zone. */
export function localTime(timezone: string, instant: number): number {
  return instant + offsetAt(timezone, instant);
}

/**
 * The first instant at which the wall clock shows `local` or later: the end of the gap when the clock jumps over it,
 * the first of the two when the clock shows it twice.
 */
export function firstInstantAt(timezone: string, local: number): number {
  // No zone is further than 26 hours from UTC, moved days (Samoa 2011) included.
  let low = local - 2 * dayMs;
  let high = local + 2 * dayMs;
  const before = offsetAt(timezone, low);
  const after = offsetAt(timezone, high);
  if (before === after) return local - before;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(timezone, middle) === before) low = middle;
    else high = middle;
  }
  return local - before < high ? local - before : Math.max(high, local - after);
}

function offsetAt(timezone: string, instant: number): number {
  if (timezone === 'UTC') return 0;
  const fields = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  for (const { type, value } of formatOf(timezone).formatToParts(instant)) {
    if (type in fields) fields[type as keyof typeof fields] = Number(value);
  }
  const { year, month, day, hour, minute, second } = fields;
  const wholeSecond = Math.floor(instant / 1_000) * 1_000;
  return Date.UTC(year, month - 1, day, hour, minute, second) - wholeSecond;
}

function formatOf(timezone: string): Intl.DateTimeFormat {
  let format = formats.get(timezone);
  if (format === undefined) {
    try {
      format = new Intl.DateTimeFormat('en-US', {
        timeZone: timezone,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
    } catch {
      throw new RangeError(`'${timezone}' is not an IANA time zone such as UTC or Europe/Berlin`);
    }
    formats.set(timezone, format);
  }
  return format;
}
