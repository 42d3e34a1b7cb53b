import { rangeOf, type TimeRange } from '../admin/usage/filter.ts';

const dayMs = 86_400_000;

/** `--from` and `--to` as whole UTC days around them, for which sums are always kept. */
export function rangeWords(words: { readonly from: string; readonly to?: string | undefined }, now: number): TimeRange {
  const { from, to } = rangeOf(words, now, 30 * dayMs);
  return { from: Math.floor(from / dayMs) * dayMs, to: Math.ceil(to / dayMs) * dayMs };
}
