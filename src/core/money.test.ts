import { expect, it } from 'vitest';
import { formatDollars, nanodollarsMax } from './money.ts';

it('writes amounts as plain decimal dollars, exact to the nano-dollar', () => {
  const written = [0, 1, 10, 310_000, 1_000_000_000, 1_500_000_000, -2_000_000_001, nanodollarsMax].map(formatDollars);
  expect(written).toEqual([
    '0.0',
    '0.000000001',
    '0.00000001',
    '0.00031',
    '1.0',
    '1.5',
    '-2.000000001',
    '9007199.254740991',
  ]);
});
