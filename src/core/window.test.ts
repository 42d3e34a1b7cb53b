import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lifetimeEnd, normaliseDuration, windowOf } from './window.ts';

const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe'];
/** Midnight that does not exist, midnight twice, a boundary crossed backwards, a day that never was. */
const strangeZones = ['America/Sao_Paulo', 'America/Havana', 'America/St_Johns', 'Pacific/Apia', 'Africa/Casablanca'];
const durations = ['30s', '90s', '7m', '5m', '1h', '2h', '5h', '36h', '1d', '3d', '7d', '14d', '1mo', '90d', '1y'];

function shown(duration: string | null, timezone: string, at: string): [string, string | null] {
  const { start, end } = windowOf(duration, timezone, Date.parse(at));
  return [new Date(start).toISOString(), end === null ? null : new Date(end).toISOString()];
}

describe('normaliseDuration', () => {
  test.each([
    ['30s', '30s'],
    ['60s', '1m'],
    ['5m', '5m'],
    ['24h', '1d'],
    ['36h', '36h'],
    ['1w', '7d'],
    ['2w', '14d'],
    ['30d', '1mo'],
    ['720h', '1mo'],
    ['1mo', '1mo'],
    ['hourly', '1h'],
    ['daily', '1d'],
    ['weekly', '7d'],
    ['Monthly', '1mo'],
    ['yearly', '1y'],
    ['None', null],
    ['', null],
    [null, null],
    [undefined, null],
  ])('%s is %s', (text, normal) => {
    expect(normaliseDuration(text)).toBe(normal);
  });

  test.each(['0d', '-1d', '1.5h', 'd', '10', '1 d', '5q', 'fortnightly', '99999999999d'])('refuses %s', (text) => {
    expect(() => normaliseDuration(text)).toThrow(RangeError);
    expect(() => normaliseDuration(text)).toThrow(text);
  });

  test('several months are a lifetime, not a budget window', () => {
    expect(() => normaliseDuration('3mo')).toThrow('1mo');
    expect(lifetimeEnd('3mo', Date.parse('2027-11-30T10:20:30.400Z'))).toBe(Date.parse('2028-02-29T10:20:30.400Z'));
  });
});

describe('lifetimeEnd', () => {
  test('counts exactly from the start', () => {
    const from = Date.parse('2028-01-31T23:59:59.999Z');
    expect(lifetimeEnd('30s', from)).toBe(from + 30_000);
    expect(lifetimeEnd('30d', from)).toBe(from + 30 * 86_400_000);
    expect(lifetimeEnd('1mo', from)).toBe(Date.parse('2028-02-29T23:59:59.999Z'));
    expect(lifetimeEnd('1y', Date.parse('2028-02-29T00:00:00Z'))).toBe(Date.parse('2029-02-28T00:00:00Z'));
    expect(lifetimeEnd('None', from)).toBeNull();
  });
});

describe('windowOf', () => {
  test('no duration never ends', () => {
    expect(windowOf(null, 'UTC', 123)).toEqual({ start: 0, end: null });
  });

  test.each([
    ['1d', 'UTC', '2027-03-28T12:00:00Z', '2027-03-28T00:00:00.000Z', '2027-03-29T00:00:00.000Z'],
    // A day of 23 hours, a day of 25.
    ['1d', 'Europe/Berlin', '2027-03-28T12:00:00Z', '2027-03-27T23:00:00.000Z', '2027-03-28T22:00:00.000Z'],
    ['1d', 'Europe/Berlin', '2027-10-31T12:00:00Z', '2027-10-30T22:00:00.000Z', '2027-10-31T23:00:00.000Z'],
    ['7d', 'UTC', '2027-03-28T12:00:00Z', '2027-03-22T00:00:00.000Z', '2027-03-29T00:00:00.000Z'],
    ['7d', 'America/New_York', '2027-03-15T03:59:59Z', '2027-03-08T05:00:00.000Z', '2027-03-15T04:00:00.000Z'],
    ['14d', 'UTC', '2027-03-28T12:00:00Z', '2027-03-15T00:00:00.000Z', '2027-03-29T00:00:00.000Z'],
    ['1mo', 'UTC', '2028-02-29T23:59:59.999Z', '2028-02-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
    ['30d', 'UTC', '2027-12-31T23:59:59.999Z', '2027-12-01T00:00:00.000Z', '2028-01-01T00:00:00.000Z'],
    ['1mo', 'Asia/Kathmandu', '2027-05-31T18:14:59Z', '2027-04-30T18:15:00.000Z', '2027-05-31T18:15:00.000Z'],
    ['1y', 'America/New_York', '2027-01-01T04:00:00Z', '2026-01-01T05:00:00.000Z', '2027-01-01T05:00:00.000Z'],
    ['1h', 'Asia/Kathmandu', '2027-05-31T18:20:00Z', '2027-05-31T18:15:00.000Z', '2027-05-31T19:15:00.000Z'],
    ['5h', 'UTC', '2027-05-31T23:20:00Z', '2027-05-31T20:00:00.000Z', '2027-06-01T00:00:00.000Z'],
    ['2h', 'Europe/Berlin', '2027-03-28T01:30:00Z', '2027-03-28T01:00:00.000Z', '2027-03-28T02:00:00.000Z'],
    ['5m', 'UTC', '2027-05-31T23:59:59Z', '2027-05-31T23:55:00.000Z', '2027-06-01T00:00:00.000Z'],
    ['30s', 'UTC', '2027-05-31T12:00:30Z', '2027-05-31T12:00:30.000Z', '2027-05-31T12:01:00.000Z'],
    // The clock went from 00:00 to 01:00 on this day.
    ['1d', 'America/Sao_Paulo', '2018-11-04T12:00:00Z', '2018-11-04T03:00:00.000Z', '2018-11-05T02:00:00.000Z'],
    // 30 December 2011 did not take place.
    ['1d', 'Pacific/Apia', '2011-12-30T09:59:59Z', '2011-12-29T10:00:00.000Z', '2011-12-30T10:00:00.000Z'],
    ['1d', 'Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-30T10:00:00.000Z', '2011-12-31T10:00:00.000Z'],
  ])('%s in %s at %s', (duration, timezone, at, start, end) => {
    expect(shown(duration, timezone, at)).toEqual([start, end]);
  });

  test('says what is wrong', () => {
    expect(() => windowOf('1d', 'Mars/Olympus', 0)).toThrow("'Mars/Olympus' is not an IANA time zone");
    expect(() => windowOf('soon', 'UTC', 0)).toThrow("'soon' is not a duration");
  });

  test('windows touch, contain their moment, and are the same from every moment inside', () => {
    const moment = fc.integer({ min: Date.parse('1990-01-01'), max: Date.parse('2060-01-01') });
    const zone = fc.constantFrom(...zones, ...strangeZones);
    fc.assert(
      fc.property(fc.constantFrom(...durations), zone, moment, fc.nat(), (duration, timezone, now, inside) => {
        const window = windowOf(duration, timezone, now);
        const { start, end } = window;
        if (end === null) throw new Error('a window with a duration ends');
        expect(start <= now && now < end).toBe(true);
        expect(windowOf(duration, timezone, start)).toEqual(window);
        expect(windowOf(duration, timezone, end - 1)).toEqual(window);
        expect(windowOf(duration, timezone, start + (inside % (end - start)))).toEqual(window);
        expect(windowOf(duration, timezone, end).start).toBe(end);
        expect(windowOf(duration, timezone, start - 1).end).toBe(start);
      }),
      { numRuns: 1_500 },
    );
  });

  test('walking through years of days meets every boundary of every zone once', () => {
    for (const timezone of [...zones, ...strangeZones]) {
      for (const duration of ['1d', '7d', '1mo']) {
        let end = Date.parse('2006-06-15T00:00:00Z');
        let count = 0;
        while (end < Date.parse('2012-06-15T00:00:00Z')) {
          const window = windowOf(duration, timezone, end);
          expect(window.end! > window.start).toBe(true);
          if (count > 0) expect(window.start).toBe(end);
          end = window.end!;
          count += 1;
        }
        const expected = { '1d': 2_192, '7d': 314, '1mo': 73 }[duration]!;
        expect(Math.abs(count - expected)).toBeLessThanOrEqual(1);
      }
    }
  });
});
