import { expect, it } from 'vitest';
import { compare, equal, firstDifferenceIsAdmitted, timesAsMuch } from './comparison.ts';
import { type Outcome, playQuietly } from './quiet-world.ts';

it('comes to the same in any order, on any number of replicas, at any prices, and without a budget to no less', async () => {
  for (let seed = 1; seed <= 12; seed++) await compare(seed);
});

it('compares requests of which some are refused', async () => {
  const { requests } = await playQuietly(3, { replicas: 1, factor: 1, hasCaps: true, without: null, order: null });
  const statuses = new Set(requests.map(({ status }) => status));
  expect([...statuses].sort()).toEqual(['denied', 'success']);
});

it('finds what differs', () => {
  const outcome = (costs: readonly number[], spent: number): Outcome => ({
    requests: costs.map((cost, at) => ({ name: `r${at}`, status: cost === 0 ? 'denied' : 'success', cost })),
    spent: new Map([['team|t1||@0', spent]]),
  });
  const one = outcome([5, 0, 7], 12);
  equal('M1', one, outcome([5, 0, 7], 12));
  expect(() => equal('M1', one, outcome([5, 0, 8], 13))).toThrow('M1: {"name":"r2"');
  expect(() => equal('M3', one, outcome([5, 0, 7], 13))).toThrow('M3: team|t1||@0 has 12 and 13');
  firstDifferenceIsAdmitted(1, one, outcome([5, 6, 0], 11));
  expect(() => firstDifferenceIsAdmitted(1, one, outcome([0, 6, 7], 13))).toThrow('M6: without budget 1 r0 is denied');
  // 4.2 and 6.1, rounded up, and three times as much.
  timesAsMuch(3, one, outcome([13, 0, 19], 32));
  expect(() => timesAsMuch(3, one, outcome([16, 0, 19], 35))).toThrow('M5: at 3 times the prices r0 costs 16');
  expect(() => timesAsMuch(3, one, outcome([10, 0, 19], 29))).toThrow('M5');
});
