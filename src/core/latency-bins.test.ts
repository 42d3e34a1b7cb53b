import fc from 'fast-check';
import { expect, it } from 'vitest';
import { latencyBinEndMs, latencyBinOf, latencyBins, percentileMs } from './latency-bins.ts';

const binned = (durations: readonly number[]) => {
  const counts = Array.from({ length: latencyBins }, () => 0);
  for (const duration of durations) counts[latencyBinOf(duration)]! += 1;
  return counts;
};

it('every duration has its bin, also what is no duration', () => {
  expect([Number.NaN, -5, 0, 9.99].map(latencyBinOf)).toEqual([0, 0, 0, 0]);
  expect([10, 13.99, 14, 19.5, 19.6].map(latencyBinOf)).toEqual([1, 1, 2, 2, 3]);
  expect([1e9, Number.POSITIVE_INFINITY].map(latencyBinOf)).toEqual([latencyBins - 1, latencyBins - 1]);
  for (let bin = 0; bin < latencyBins - 1; bin++) {
    expect(latencyBinOf(latencyBinEndMs(bin) - 1e-3)).toBe(bin);
    expect(latencyBinOf(latencyBinEndMs(bin))).toBe(bin + 1);
  }
});

it('a percentile of the sum of two is one of all, and lies in the bin of the true one', () => {
  const durations = fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(durations, durations, fc.constantFrom(0.5, 0.9, 0.95, 0.99, 1), (one, other, fraction) => {
      const sum = binned(one).map((count, bin) => count + binned(other)[bin]!);
      const told = percentileMs(sum, fraction)!;
      const all = [...one, ...other].sort((left, right) => left - right);
      const exact = all[Math.ceil(fraction * all.length) - 1]!;
      expect(Math.abs(latencyBinOf(told * (1 - 1e-6)) - latencyBinOf(exact))).toBeLessThanOrEqual(told >= 10 ? 0 : 1);
    }),
  );
});

it('is near for what latencies look like, and null for nothing', () => {
  const even = Array.from({ length: 10_000 }, (_, index) => 400 * 3 ** (index / 10_000));
  for (const [fraction, errorMax] of [
    [0.5, 0.02],
    [0.9, 0.02],
    [0.99, 0.4],
  ] as const) {
    expect(Math.abs(percentileMs(binned(even), fraction)! / (400 * 3 ** fraction) - 1)).toBeLessThan(errorMax);
  }
  expect(percentileMs(binned([]), 0.5)).toBeNull();
});
