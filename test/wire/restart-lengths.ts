/** How far the pieces of a stream are apart, by how long it is to last: few enough pieces that two cores carry a thousand streams. */
const paces = [
  { upToMs: 500, everyMs: 25 },
  { upToMs: 2_000, everyMs: 100 },
  { upToMs: 5_000, everyMs: 250 },
  { upToMs: 10_000, everyMs: 500 },
  { upToMs: Number.POSITIVE_INFINITY, everyMs: 1_000 },
] as const;

/** Pauses besides one for each word: before the end, the usage and the marker. */
const pausesBeside = 3;

/** No stream has more words. */
export const wordsMax = 25;

/** The deployment that has a stream's pace, and the words it takes to last about that long. */
export function streamOf(lastsMs: number): { model: string; words: number } {
  const { everyMs } = paces.find(({ upToMs }) => lastsMs <= upToMs)!;
  const words = Math.max(1, Math.round(lastsMs / everyMs) - pausesBeside);
  return { model: `every-${everyMs}`, words: Math.min(words, wordsMax) };
}

export const streamModels: readonly string[] = paces.map(({ everyMs }) => `every-${everyMs}`);

/** Answers in one piece. */
export const wholeModel = 'whole';

/** Milliseconds between two events of a deployment. */
export function paceOf(model: string): number {
  return Number(model.split('-')[1] ?? 0);
}
