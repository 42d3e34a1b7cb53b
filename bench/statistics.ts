/** The smallest value that at least this fraction of the samples does not exceed; NaN without samples. */
export function quantile(samples: readonly Float64Array[], fraction: number): number {
  const total = samples.reduce((sum, part) => sum + part.length, 0);
  if (total === 0) return Number.NaN;
  const all = new Float64Array(total);
  let at = 0;
  for (const part of samples) {
    all.set(part, at);
    at += part.length;
  }
  all.sort();
  return all[Math.max(0, Math.ceil(fraction * total) - 1)]!;
}
