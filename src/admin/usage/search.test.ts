import fc from 'fast-check';
import { expect, it } from 'vitest';
import { requestRecord } from '../../../test/contract/records.ts';
import type { UsageFilter, UsageRepository } from '../../core/store.ts';
import { type Position, searchRequests } from './search.ts';

const hourMs = 3_600_000;

/** A store whose questions take as long as the time they cover. */
function slowStore(starts: readonly number[], msPerHour: number) {
  const records = starts
    .map((startedAt, index) => requestRecord(`r${String(index).padStart(4, '0')}`, { startedAt }))
    .sort((one, other) => other.startedAt - one.startedAt || (one.id < other.id ? 1 : -1));
  let now = 0;
  const longest = { ms: 0 };
  const list = async ({ from, to }: UsageFilter, { limit, after }: Parameters<UsageRepository['list']>[1]) => {
    const tookMs = ((to! - from!) / hourMs) * msPerHour;
    longest.ms = Math.max(longest.ms, tookMs);
    now += tookMs;
    const isAfter = ({ startedAt, id }: Position) =>
      after === undefined || startedAt < after.startedAt || (startedAt === after.startedAt && id < after.id);
    return records.filter((one) => one.startedAt >= from! && one.startedAt < to! && isAfter(one)).slice(0, limit);
  };
  const parts = { store: { usage: { list } as unknown as UsageRepository }, clock: { tick: () => now } };
  return { parts, ids: records.map(({ id }) => id), longest };
}

it('pages hold every request once, newest first, however slow the store is', async () => {
  const times = fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(
      times,
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(0, 1, 20, 500),
      async (hours, limit, ms) => {
        const { parts, ids } = slowStore(
          hours.map((hour) => hour * hourMs),
          ms,
        );
        const seen: string[] = [];
        let after: Position | null = null;
        for (let pages = 0; pages < 500; pages++) {
          const page = await searchRequests(parts, { from: 0, to: 3_001 * hourMs }, limit, after);
          expect(page.records.length).toBeLessThanOrEqual(limit);
          seen.push(...page.records.map(({ id }) => id));
          after = page.next;
          if (after === null) break;
        }
        expect(seen).toEqual(ids);
      },
    ),
    { numRuns: 60 },
  );
});

it('something that is nowhere ends each page after a while, and never asks for long', async () => {
  const { parts, longest } = slowStore([], 10);
  const first = await searchRequests(parts, { from: 0, to: 3_000 * hourMs }, 50, null);
  expect(first.records).toEqual([]);
  expect(first.next!.id).toBe('');
  expect(first.next!.startedAt).toBeLessThan(2_900 * hourMs);
  expect(longest.ms).toBeLessThan(2_000);
});
