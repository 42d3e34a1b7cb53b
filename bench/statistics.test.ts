import { expect, test } from 'vitest';
import { quantile } from './statistics.ts';

test('quantiles over several parts', () => {
  const parts = [Float64Array.from([5, 1, 3]), Float64Array.from([2, 4])];
  expect([0, 0.2, 0.5, 0.99, 1].map((fraction) => quantile(parts, fraction))).toEqual([1, 1, 3, 5, 5]);
  expect(quantile([], 0.5)).toBeNaN();
});
