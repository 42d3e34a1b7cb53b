import type { Clock } from '../../core/ports.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import type { Store, UsageFilter } from '../../core/store.ts';
import type { TimeRange } from './filter.ts';

/** After this long a page is what was found so far. */
const patienceMs = 1_500;
const firstSliceMs = 86_400_000;
const growth = 8;
/** A slice that took longer is not followed by a longer one. */
const quickMs = 60;

export interface Position {
  readonly startedAt: number;
  readonly id: string;
}

export interface FoundPage {
  readonly records: readonly RequestRecord[];
  /** Where the next page begins; null when all of the time has been searched. */
  readonly next: Position | null;
}

/**
 * Requests, newest first. The time is searched in slices, from its end, so that something rare among a hundred million rows
 * neither keeps the database busy nor the caller waiting: the page then holds what was found, and its cursor goes on from there.
 */
export async function searchRequests(
  { store, clock }: { readonly store: Pick<Store, 'usage'>; readonly clock: Pick<Clock, 'tick'> },
  filter: UsageFilter & TimeRange,
  limit: number,
  after: Position | null,
): Promise<FoundPage> {
  const start = clock.tick();
  const records: RequestRecord[] = [];
  let to = after === null ? filter.to : Math.min(filter.to, after.startedAt + 1);
  let sliceMs = firstSliceMs;
  while (to > filter.from) {
    const from = Math.max(filter.from, to - sliceMs);
    const at = clock.tick();
    const left = limit + 1 - records.length;
    const found = await store.usage.list(
      { ...filter, from, to },
      { offset: 0, limit: left, ...(after === null ? {} : { after }) },
    );
    records.push(...found);
    if (records.length > limit) {
      records.pop();
      return { records, next: records.at(-1)! };
    }
    to = from;
    const now = clock.tick();
    if (now - start > patienceMs) break;
    if (now - at < quickMs) sliceMs *= growth;
  }
  // No request has an empty id: all that began in this millisecond have been seen.
  return { records, next: to > filter.from ? { startedAt: to, id: '' } : null };
}
