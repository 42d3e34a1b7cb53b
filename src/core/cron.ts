/*
 * Schedules as crontab has them: minute, hour, day of the month, month, day of the week, in UTC; lists, ranges, steps and
 * English names. Where both days are given, either will do.
 */

export interface CronSchedule {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 = Sunday to 6 = Saturday. */
  readonly weekdays: ReadonlySet<number>;
  readonly anyDay: boolean;
  readonly anyWeekday: boolean;
}

const dayMs = 86_400_000;
const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
/** 29 February on a given weekday comes after 40 years at the latest. */
const daysLookedAt = 41 * 366;

/** Throws RangeError with a sentence for the operator. */
export function parseCron(text: string): CronSchedule {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5) {
    throw new RangeError(
      `'${text}' is no cron schedule: five fields are needed (minute hour day month weekday), as in 0 2 * * *`,
    );
  }
  const [minute, hour, day, month, weekday] = fields as [string, string, string, string, string];
  const weekdays = valuesIn(weekday, 0, 7, weekdayNames, 0);
  if (weekdays.delete(7)) weekdays.add(0);
  return {
    minutes: valuesIn(minute, 0, 59),
    hours: valuesIn(hour, 0, 23),
    days: valuesIn(day, 1, 31),
    months: valuesIn(month, 1, 12, monthNames, 1),
    weekdays,
    anyDay: day === '*',
    anyWeekday: weekday === '*',
  };
}

/** The first moment after `at` that the schedule names, unix milliseconds; null for one that never comes (30 February). */
export function nextTime(schedule: CronSchedule, at: number): number | null {
  const today = Math.floor(at / dayMs) * dayMs;
  for (let day = 0; day < daysLookedAt; day++) {
    const start = today + day * dayMs;
    if (!isDay(schedule, new Date(start))) continue;
    for (const hour of [...schedule.hours].sort(ascending)) {
      for (const minute of [...schedule.minutes].sort(ascending)) {
        const time = start + (hour * 60 + minute) * 60_000;
        if (time > at) return time;
      }
    }
  }
  return null;
}

function isDay({ months, days, weekdays, anyDay, anyWeekday }: CronSchedule, date: Date): boolean {
  if (!months.has(date.getUTCMonth() + 1)) return false;
  const byDay = days.has(date.getUTCDate());
  const byWeekday = weekdays.has(date.getUTCDay());
  return anyDay || anyWeekday ? byDay && byWeekday : byDay || byWeekday;
}

function valuesIn(field: string, from: number, to: number, names: readonly string[] = [], firstName = 0): Set<number> {
  const values = new Set<number>();
  const refuse = () =>
    new RangeError(`'${field}' is no field of a cron schedule: numbers from ${from} to ${to}, ranges, steps or *`);
  const numberOf = (word: string): number => {
    const name = names.indexOf(word.toLowerCase().slice(0, 3));
    const value = name >= 0 ? name + firstName : /^\d{1,2}$/.test(word) ? Number(word) : Number.NaN;
    if (!(value >= from && value <= to)) throw refuse();
    return value;
  };
  for (const part of field.split(',')) {
    const match = /^(\*|\w+)(?:-(\w+))?(?:\/(\d{1,2}))?$/.exec(part);
    if (match === null) throw refuse();
    const [, first, last, step] = match;
    const begin = first === '*' ? from : numberOf(first!);
    const end = last !== undefined ? numberOf(last) : first === '*' || step !== undefined ? to : begin;
    const every = step === undefined ? 1 : Number(step);
    if (every === 0 || end < begin || (first === '*' && last !== undefined)) throw refuse();
    for (let value = begin; value <= end; value += every) values.add(value);
  }
  return values;
}

function ascending(one: number, other: number): number {
  return one - other;
}
