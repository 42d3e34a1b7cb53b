import { expect, test } from 'vitest';
import { nextTime, parseCron } from './cron.ts';

// 25 November 2026 is a Wednesday.
const now = Date.parse('2026-11-25T14:30:20Z');
const next = (text: string, at = now) => {
  const time = nextTime(parseCron(text), at);
  return time === null ? null : new Date(time).toISOString().slice(0, 16);
};

test.each([
  ['* * * * *', '2026-11-25T14:31'],
  ['0 2 * * *', '2026-11-26T02:00'],
  ['*/15 * * * *', '2026-11-25T14:45'],
  ['5/20 * * * *', '2026-11-25T14:45'],
  ['0 9-17/4 * * *', '2026-11-25T17:00'],
  ['30 14 25 11 *', '2027-11-25T14:30'],
  ['0 0 1 * *', '2026-12-01T00:00'],
  ['0 0 * * 0', '2026-11-29T00:00'],
  ['0 0 * * 7', '2026-11-29T00:00'],
  ['0 0 * * mon-fri', '2026-11-26T00:00'],
  ['0 0 * jan,Feb *', '2027-01-01T00:00'],
  ['0 0 1 * mon', '2026-11-30T00:00'],
  ['0 0 29 2 *', '2028-02-29T00:00'],
  ['0 0 30 2 *', null],
])('%s comes next at %s', (text, expected) => {
  expect(next(text)).toBe(expected);
});

test('a moment that is named is not its own next one', () => {
  expect(next('0 2 * * *', Date.parse('2026-11-25T02:00:00Z'))).toBe('2026-11-26T02:00');
});

test.each([
  '',
  '* * * *',
  '60 * * * *',
  '* 24 * * *',
  '* * 0 * *',
  '* * * 13 *',
  '* * * * 8',
  '*/0 * * * *',
  '5-1 * * * *',
  'a * * * *',
  '1,,2 * * * *',
])('%j is refused', (text) => {
  expect(() => parseCron(text)).toThrow(RangeError);
});
