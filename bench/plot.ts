import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuRatio, type HistoryEntry, readHistory } from './history.ts';

const width = 760;
const height = 320;
const margin = { left: 56, right: 16, top: 32, bottom: 64 };
const runsShown = 30;

/** `bench/results/history.svg`: CPU per request in units of the bare proxy's, run by run. */
export function writePlot(root: string): void {
  writeFileSync(join(root, 'bench', 'results', 'history.svg'), plot(readHistory(root)));
}

export function plot(history: readonly HistoryEntry[]): string {
  const runs = history
    .map((entry) => ({ entry, ratio: cpuRatio(entry.results) }))
    .filter((run): run is { entry: HistoryEntry; ratio: number } => run.ratio !== undefined)
    .slice(-runsShown);
  const highest = Math.max(4, ...runs.map(({ ratio }) => Math.ceil(ratio)));
  const slot = (width - margin.left - margin.right) / Math.max(1, runs.length);
  const y = (ratio: number): number =>
    height - margin.bottom - (ratio / highest) * (height - margin.top - margin.bottom);
  const parts: string[] = [];
  for (let ratio = 0; ratio <= highest; ratio += 1) {
    parts.push(
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y(ratio)}" y2="${y(ratio)}" stroke="#ddd"/>`,
      `<text x="${margin.left - 8}" y="${y(ratio) + 4}" text-anchor="end">${ratio}×</text>`,
    );
  }
  for (const [limit, label] of [
    [3, 'limit'],
    [2, 'target'],
  ] as const) {
    parts.push(
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y(limit)}" y2="${y(limit)}" stroke="#c33" stroke-dasharray="4 3"/>`,
      `<text x="${width - margin.right}" y="${y(limit) - 4}" text-anchor="end" fill="#c33">${label}</text>`,
    );
  }
  for (const [index, { entry, ratio }] of runs.entries()) {
    const x = margin.left + slot * index + slot * 0.15;
    const middle = x + slot * 0.35;
    const bottom = height - margin.bottom;
    parts.push(
      `<rect x="${x.toFixed(1)}" y="${y(ratio).toFixed(1)}" width="${(slot * 0.7).toFixed(1)}" height="${(bottom - y(ratio)).toFixed(1)}" fill="#37c"><title>${entry.commit} ${entry.date}: ${ratio.toFixed(2)}</title></rect>`,
      `<text x="${middle.toFixed(1)}" y="${bottom + 14}" text-anchor="end" transform="rotate(-45 ${middle.toFixed(1)} ${bottom + 14})">${entry.commit.slice(0, 7)}</text>`,
    );
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="${margin.left}" y="18" font-size="13">CPU per JSON request in units of the bare Node proxy's, by commit</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}
