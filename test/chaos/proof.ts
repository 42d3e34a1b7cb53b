import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { resolve } from 'node:path';
import type { Outcome, Row, Size } from './row.ts';

export interface Result {
  readonly row: Pick<Row, 'row' | 'promise' | 'target'>;
  readonly size: Size;
  readonly outcome: Outcome;
  readonly tookMs: number;
}

const proofFile = resolve(import.meta.dirname, '../../docs/proof.md');

/** Each table of docs/proof.md stands between two marks of its own, so that a run of some rows leaves the others. */
const mark = (row: number, size: Size, end = '') => `<!-- ${end}row ${row} ${size} -->`;

export function isKept({ outcome }: Result): boolean {
  return outcome.broken.length === 0;
}

export function tableOf(results: readonly Result[]): string {
  return results
    .map((result) => {
      const { row, outcome, tookMs, size } = result;
      const head = `${isKept(result) ? 'kept  ' : 'BROKEN'}  ${row.row}. ${row.promise} (${size}, ${seconds(tookMs)})`;
      const figures = Object.entries(outcome.figures).map(([name, value]) => `          ${name}: ${value}`);
      return [head, ...figures, ...outcome.broken.map((text) => `        ! ${text}`)].join('\n');
    })
    .join('\n');
}

/** Puts the results into docs/proof.md, each in place of the last one of its row and size. */
export function keepProof(results: readonly Result[], command: string): void {
  let page = readFileSync(proofFile, 'utf8');
  for (const result of results) {
    const { row, size } = result;
    const [begin, end] = [mark(row.row, size), mark(row.row, size, 'end of ')];
    const text = `${begin}\n${sectionOf(result, command)}\n${end}`;
    const [from, to] = [page.indexOf(begin), page.indexOf(end)];
    if (from >= 0 && to > from) page = page.slice(0, from) + text + page.slice(to + end.length);
    else page = page.replace('<!-- rows end -->', `${text}\n\n<!-- rows end -->`);
  }
  writeFileSync(proofFile, page);
}

function sectionOf(result: Result, command: string): string {
  const { row, size, outcome, tookMs } = result;
  return [
    `### ${row.row}. ${row.promise}`,
    '',
    `Target: ${row.target}.  `,
    `Run: \`${command}\` at ${commit()}, ${today()}, ${machine()}; size ${size}, ${seconds(tookMs)}. **${isKept(result) ? 'Kept' : 'Broken'}.**`,
    '',
    '| figure | value |',
    '|---|---|',
    ...Object.entries(outcome.figures).map(([name, value]) => `| ${name} | ${value} |`),
    ...outcome.broken.map((text) => `| **broken** | ${text.replaceAll('|', '\\|').slice(0, 300)} |`),
  ].join('\n');
}

function machine(): string {
  return `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
}

function commit(): string {
  return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
