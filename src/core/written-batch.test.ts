import fc from 'fast-check';
import { expect, it } from 'vitest';
import { account, requestRecord } from '../../test/contract/records.ts';
import { sumsOf, WrittenEntries, writtenOf } from './written-batch.ts';

const names = fc.constantFrom('key-1', 'key-2', 'team "ü"');
const entry = fc.record({
  id: fc.string({ minLength: 1 }),
  accounts: fc.array(
    fc.record({ id: names, cap: fc.constantFrom(null, 5, 9), delta: fc.nat(), leaseReturn: fc.nat() }),
    { maxLength: 4 },
  ),
});

it('gives back the entries that it was written from, and their sums', () => {
  fc.assert(
    fc.property(fc.array(entry), (given) => {
      const entries = given.map(({ id, accounts }) => ({
        record: requestRecord(id),
        accounts: accounts.map(({ id: name, ...figures }) => ({ ...account('key', name), ...figures })),
      }));
      const written = writtenOf(entries);
      expect(Array.from(new WrittenEntries(written), ({ record, accounts }) => ({ record, accounts }))).toEqual(
        entries,
      );

      const sums = new Map<string, { delta: number; leaseReturn: number; cap: number | null }>();
      const add = ({ key, cap, delta, leaseReturn }: ReturnType<typeof sumsOf>[number]) => {
        const sum = sums.get(key) ?? { delta: 0, leaseReturn: 0, cap };
        sums.set(key, { delta: sum.delta + delta, leaseReturn: sum.leaseReturn + leaseReturn, cap });
      };
      for (const { accounts } of entries) accounts.forEach(add);
      const expected = new Map(sums);
      sums.clear();
      sumsOf(written).forEach(add);
      expect(sums).toEqual(expected);
    }),
  );
});
