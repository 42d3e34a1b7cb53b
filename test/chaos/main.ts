import { parseArgs } from 'node:util';
import { compileCache } from '../../scripts/servers/compile-cache.ts';
import type { WireRow } from '../wire/row.ts';
import { wireRows } from '../wire/rows/index.ts';
import { isKept, keepProof, type Result, tableOf } from './proof.ts';
import { type Rig, startRig } from './rig.ts';
import type { Row } from './row.ts';
import { pause } from './row.ts';
import { rows as rigRows } from './rows/index.ts';

// For the threads that rows start here.
Object.assign(process.env, compileCache);

/** The servers end with this program, however it ends. */
const closeLimitMs = 15_000;

const help = `npm run chaos -- [options]

Starts PostgreSQL, Redis, three gateways and a provider that keeps an invoice, breaks them, and compares the gateways'
books with the invoice. Exit code 1 when a promise is broken.

  --rows 1,2,5   only these promises (default: all)
  --full         with the numbers of the promise (minutes to hours) in place of a short run; fewer with CHAOS_KILLS (row 5),
                 CHAOS_SCHEDULES (2; also a part of them: 21-40), CHAOS_CUTS (48), TOLLGATE_RESTARTS (19) in the environment, which the figures show;
                 TOLLGATE_OTHER_VERSION=FOLDER (19) restarts by turns into another checkout with the same tables
  --json         one line of JSON for each promise
  --write        keep the result in docs/proof.md
  --list         what there is
  -h, --help     this text`;

const { values } = parseArgs({
  options: {
    rows: { type: 'string' },
    full: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

/** Those over the rig, then those that start what they need themselves. */
const rows: readonly (Row | WireRow)[] = [...rigRows, ...wireRows];
const wanted = values.rows?.split(',').map(Number);
const unknown = wanted?.filter((number) => !rows.some(({ row }) => row === number)) ?? [];
if (values.help) {
  console.log(help);
} else if (values.list) {
  for (const { row, promise, target } of rows) console.log(`${row}. ${promise}\n    full: ${target}`);
} else if (unknown.length > 0) {
  console.error(`there is no row ${unknown.join(', ')}; there are ${rows.map(({ row }) => row).join(', ')}`);
  process.exitCode = 2;
} else {
  // A connection that does not end must not keep the program.
  process.exit((await run()).every(isKept) ? 0 : 1);
}

async function run(): Promise<Result[]> {
  const size = values.full ? 'full' : 'short';
  const results: Result[] = [];
  const chosen = rows.filter(({ row }) => wanted === undefined || wanted.includes(row));
  let rig: Rig | null = null;
  try {
    for (const row of chosen) {
      if (!('kind' in row)) rig ??= await startRig();
      const startedAt = performance.now();
      const running = 'kind' in row ? row.run(size) : row.run(rig as Rig, size);
      const outcome = await running.catch((error: Error) => ({ figures: {}, broken: [`${error.stack}`] }));
      const result = { row, size, outcome, tookMs: performance.now() - startedAt } as const;
      results.push(result);
      console.log(values.json ? JSON.stringify(asJson(result)) : tableOf([result]));
      // The next row begins with everything up.
      if (outcome.broken.length > 0) await rig?.calm().catch(() => false);
    }
  } finally {
    if (rig !== null) await Promise.race([rig.close(), pause(closeLimitMs)]);
  }
  if (values.write) keepProof(results, commandWords());
  return results;
}

function asJson({ row, size, outcome, tookMs }: Result) {
  const { row: number, promise, target } = row;
  const isPromiseKept = outcome.broken.length === 0;
  return { row: number, promise, target, size, kept: isPromiseKept, ...outcome, tookMs: Math.round(tookMs) };
}

function commandWords(): string {
  const words = [values.rows === undefined ? '' : `--rows ${values.rows}`, values.full ? '--full' : ''].filter(Boolean);
  return ['npm run chaos', ...(words.length === 0 ? [] : ['--', ...words])].join(' ');
}
