import type { RunResult } from './run.ts';

/** Sums over many runs. */
export class Tally {
  readonly counts: Record<string, number> = {};
  readonly commands = new Map<string, number>();
  readonly struck = new Map<string, number>();
  readonly behaviours = new Map<string, number>();
  deaths = 0;
  runs = 0;

  add(result: RunResult): void {
    this.runs += 1;
    for (const [name, count] of Object.entries(result.counts)) this.counts[name] = (this.counts[name] ?? 0) + count;
    this.deaths += result.deaths;
    for (const list of ['commands', 'struck', 'behaviours'] as const) {
      for (const [name, count] of result[list]) this[list].set(name, (this[list].get(name) ?? 0) + count);
    }
  }

  table(): string {
    const lines: string[] = [];
    for (const list of ['commands', 'behaviours', 'struck'] as const) {
      lines.push(`${list}:`);
      for (const [name, count] of this[list]) lines.push(`  ${String(count).padStart(9)}  ${name}`);
    }
    return lines.join('\n');
  }
}
