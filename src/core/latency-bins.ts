/*
 * How long things took, as counts in fixed bins: counts of two hours, two keys or two gateways add up, and percentiles are
 * read from the sum. Each bin reaches 1.4 times as far as the one before, so a percentile is never off by more than that, and
 * by much less where a bin is full: inside a bin the logarithm is taken to be even.
 */

const firstEndMs = 10;
const growth = 1.4;
const logGrowth = Math.log(growth);

/** The last bin has no end: from about four minutes on. */
export const latencyBins = 32;

export function latencyBinOf(durationMs: number): number {
  if (!(durationMs >= firstEndMs)) return 0;
  return Math.min(latencyBins - 1, 1 + Math.floor(Math.log(durationMs / firstEndMs) / logGrowth + 1e-9));
}

/** Milliseconds at which a bin ends, and the next one starts. */
export function latencyBinEndMs(bin: number): number {
  return firstEndMs * growth ** bin;
}

/** `fraction` 0.95 = the time that 95 % stayed within, in milliseconds; null when nothing was counted. */
export function percentileMs(counts: readonly number[], fraction: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let before = 0;
  for (const [bin, count] of counts.entries()) {
    if (count === 0 || before + count < fraction * total) {
      before += count;
      continue;
    }
    const end = latencyBinEndMs(bin);
    const share = Math.min(1, Math.max(0, (fraction * total - before) / count));
    return bin === 0 ? end * share : (end / growth) * growth ** share;
  }
  return latencyBinEndMs(counts.length - 1);
}
