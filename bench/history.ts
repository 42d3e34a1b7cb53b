import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Figures } from './phases.ts';
import type { Verdict } from './report.ts';

export interface HistoryEntry {
  readonly date: string;
  readonly commit: string;
  /** True when the tree held changes that no commit has. */
  readonly dirty: boolean;
  readonly node: string;
  readonly processor: string;
  readonly cores: number;
  readonly mode: string;
  readonly features: readonly string[];
  readonly results: Readonly<Record<string, Figures>>;
  readonly verdicts: readonly Verdict[];
}

export function historyEntry(
  root: string,
  run: Pick<HistoryEntry, 'mode' | 'features' | 'verdicts'> & { results: ReadonlyMap<string, Figures> },
): HistoryEntry {
  const git = (...words: string[]): string => execFileSync('git', ['-C', root, ...words], { encoding: 'utf8' }).trim();
  return {
    date: new Date().toISOString(),
    commit: git('rev-parse', '--short=12', 'HEAD'),
    dirty: git('status', '--porcelain', '--untracked-files=no') !== '',
    node: process.version,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    mode: run.mode,
    features: run.features,
    results: Object.fromEntries(run.results),
    verdicts: run.verdicts,
  };
}

/** One JSON line per run, so that a change of the figures can be found by commit. */
export function appendHistory(root: string, entry: HistoryEntry): void {
  const folder = join(root, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  appendFileSync(join(folder, 'history.jsonl'), `${JSON.stringify(entry)}\n`);
}

export function readHistory(root: string): HistoryEntry[] {
  const file = join(root, 'bench', 'results', 'history.jsonl');
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as HistoryEntry);
}

/** The gateway's CPU per request in units of the bare proxy's, in the last run that measured both. */
export function lastRatio(root: string): number | undefined {
  return readHistory(root)
    .map(({ results }) => cpuRatio(results))
    .findLast((ratio) => ratio !== undefined);
}

export function cpuRatio({ proxy, gateway }: Readonly<Record<string, Figures>>): number | undefined {
  if (proxy === undefined || gateway === undefined) return undefined;
  return gateway.cpuMicrosecondsPerRequest / proxy.cpuMicrosecondsPerRequest;
}
