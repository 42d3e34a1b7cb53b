import { cpuRatio } from './history.ts';
import { chunksPerStream, type Figures } from './phases.ts';

export interface Verdict {
  readonly target: string;
  readonly limit: string;
  readonly measured: string;
  readonly passed: boolean;
}

const columns: readonly (readonly [title: string, cell: (figures: Figures, base: Figures) => string])[] = [
  ['CPU µs/request', (figures) => whole(figures.cpuMicrosecondsPerRequest)],
  ['of it user', (figures) => whole(figures.userMicrosecondsPerRequest)],
  ['requests/s (50 conn.)', (figures) => whole(figures.closedRequestsPerSecond)],
  ['p50 added at 100/s', (figures, base) => added(figures, base, '100', 'p50')],
  ['p99 added at 100/s', (figures, base) => added(figures, base, '100', 'p99')],
  ['p50 added at 1,000/s', (figures, base) => added(figures, base, '1000', 'p50')],
  ['p99 added at 1,000/s', (figures, base) => added(figures, base, '1000', 'p99')],
  ['CPU µs/chunk', (figures) => chunkMicroseconds(figures).toFixed(1)],
  ['RSS MB start', (figures) => whole(figures.residentStartMegabytes)],
  ['RSS MB end', (figures) => whole(figures.residentEndMegabytes)],
  ['failures', (figures) => whole(figures.failures)],
];

/** What a chunk costs beyond what its request costs anyway, in microseconds of CPU. */
export function chunkMicroseconds(figures: Figures): number {
  return (figures.cpuMicrosecondsPerStream - figures.cpuMicrosecondsPerRequest) / chunksPerStream;
}

/** A Markdown table, aligned for the terminal. The bare upstream's own latencies stand in its row, the others add to them. */
export function table(results: ReadonlyMap<string, Figures>): string {
  const base = results.get('upstream')!;
  const rows = [['target', ...columns.map(([title]) => title)]];
  for (const [name, figures] of results) rows.push([name, ...columns.map(([, cell]) => cell(figures, base))]);
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => `| ${row.map((cell, column) => pad(cell, widths[column]!, column)).join(' | ')} |`);
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

/** The limits that stand, held against what was measured; empty where there is no gateway among the results. */
export function verdicts(results: ReadonlyMap<string, Figures>): Verdict[] {
  const [base, proxy, gateway] = ['upstream', 'proxy', 'gateway'].map((name) => results.get(name));
  if (base === undefined || gateway === undefined) return [];
  const found: Verdict[] = [];
  const hold = (limit: string, measured: number, max: number, unit: string): void => {
    const passed = measured <= max;
    found.push({ target: 'gateway', limit, measured: `${measured.toFixed(2)}${unit}`, passed });
  };
  if (proxy !== undefined) {
    const times = gateway.cpuMicrosecondsPerRequest / proxy.cpuMicrosecondsPerRequest;
    hold("CPU per request at most 3 times the bare proxy's", times, 3, ' times');
  }
  const addedMs = (gateway.open['100']!.p50 - base.open['100']!.p50) / 1000;
  hold('p50 added at 100 requests/s under 1 ms', addedMs, 1, ' ms');
  hold(
    'RSS under 200 MB',
    Math.max(gateway.residentEndMegabytes, ...(gateway.residentCurveMegabytes ?? [])),
    200,
    ' MB',
  );
  const curve = gateway.residentCurveMegabytes;
  if (curve !== undefined) {
    // The first tenths fill caches and let the heap find its size; from there on it must not grow.
    const growth = Math.max(...curve.slice(-3)) - Math.max(...curve.slice(2, 5));
    hold('RSS flat over the long run (growth under 10 MB from its first half to its end)', growth, 10, ' MB');
  }
  hold('every request answered as expected', gateway.failures, 0, ' failures');
  return found;
}

/** What may be lost from one run on record to the next; units of the bare proxy, so that the machine's noise cancels. */
const growthMax = 1.15;

/** Holds the gateway's CPU per request against the last run on record. */
export function ratchet(results: ReadonlyMap<string, Figures>, last: number | undefined): Verdict[] {
  const now = cpuRatio(Object.fromEntries(results));
  if (now === undefined || last === undefined) return [];
  return [
    {
      target: 'gateway',
      limit: `CPU per request at most 15 % above the last run on record (${last.toFixed(2)} times the bare proxy's)`,
      measured: `${now.toFixed(2)} times`,
      passed: now <= last * growthMax,
    },
  ];
}

/** What a wide run adds, as a Markdown table: microseconds of CPU per request. */
export function wideTable(results: ReadonlyMap<string, Figures>): string {
  const [first] = results.values();
  const prompts = Object.keys(first?.prompts ?? {});
  const connections = Object.keys(first?.connections ?? {});
  const titles = ['CPU µs/request', ...prompts.map((size) => `${size} prompt`)];
  const rows = [[...titles, ...connections.map((count) => `${count} connections`), 'requests/s', 'p99 at 5,000/s']];
  for (const [name, figures] of results) {
    const open = figures.open['5000'];
    const last = connections.at(-1);
    rows.push([
      name,
      ...prompts.map((size) => whole(figures.prompts?.[size] ?? Number.NaN)),
      ...connections.map((count) => whole(figures.connections?.[count]?.cpuMicrosecondsPerRequest ?? Number.NaN)),
      whole((last === undefined ? undefined : figures.connections?.[last]?.requestsPerSecond) ?? Number.NaN),
      open === undefined ? '–' : `${(open.p99 / 1000).toFixed(1)} ms`,
    ]);
  }
  const rule = rows[0]!.map((_, column) => (column === 0 ? '---' : '---:'));
  return [rows[0]!, rule, ...rows.slice(1)].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function added(figures: Figures, base: Figures, rate: string, kind: 'p50' | 'p99'): string {
  const own = figures.open[rate]![kind];
  return figures === base
    ? `(${(own / 1000).toFixed(2)} ms)`
    : `${((own - base.open[rate]![kind]) / 1000).toFixed(2)} ms`;
}

function whole(figure: number): string {
  return Math.round(figure).toLocaleString('en-US');
}

function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}
