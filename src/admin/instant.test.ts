import { describe, expect, it } from 'vitest';
import { instant } from './instant.ts';

const day = Date.UTC(2026, 10, 25);

describe('a time in a query', () => {
  it.each([
    ['2026-11-25', day],
    ['2026-11-25T10:30', day + 10.5 * 3_600_000],
    ['2026-11-25 10:30:00', day + 10.5 * 3_600_000],
    ['2026-11-25T10:30:00.250Z', day + 10.5 * 3_600_000 + 250],
    ['2026-11-25T10:30:00+02:00', day + 8.5 * 3_600_000],
    ['2026-11-25T10:30:00-0800', day + 18.5 * 3_600_000],
    ['2028-02-29', Date.UTC(2028, 1, 29)],
  ])('%s is read', (text, at) => {
    expect(instant(text, 'from', 'start')).toBe(at);
  });

  it('a bare date as an end includes its day', () => {
    expect(instant('2026-11-25', 'to', 'end')).toBe(day + 86_400_000);
    expect(instant('2026-11-25T00:00:00Z', 'to', 'end')).toBe(day);
  });

  it.each([
    '2026-02-30',
    '2026-02-30T10:00:00Z',
    '2027-02-29',
    '2026-13-01',
    '2026-11-25T25:00',
    '5',
    '2020',
    'March',
    '25.11.2026',
  ])('%s is none', (text) => {
    expect(() => instant(text, 'from', 'start')).toThrow(/^from must be a date .* that exists\.$/);
  });
});
