import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { historyEntry } from '../history.ts';
import { root } from '../targets.ts';
import { measureDeployments } from './deployments.ts';
import { type Curve, Figures, rounded } from './figures.ts';
import { type Ground, openGround } from './ground.ts';
import { measureKeys } from './keys.ts';
import { scalePlot } from './plot.ts';
import { measureReplicas } from './replicas.ts';
import { measureRows } from './rows.ts';

const usage = `npm run bench:scale -- [options]
  Says whether what a request costs grows with the number of keys, deployments, rows on record and replicas: starts a real
  PostgreSQL and Redis and the gateway as it is run, fills them up, and measures. Takes about 12 minutes and 10 GB of disk.

  --quick          small numbers, about 2 minutes
  --only A,B       which of: keys, deployments, rows, replicas
  --write          keeps what came out: bench/results/scale.json, docs/scale.svg and the tables of docs/scale.md
  --help`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const sections = {
  keys: 'Keys in the store',
  deployments: 'Deployments in the configuration',
  rows: 'Requests on record',
  replicas: 'Replicas over one hot key',
} as const;
type Section = keyof typeof sections;
const names = Object.keys(sections) as Section[];

const measure: Readonly<Record<Section, (ground: Ground, figures: Figures) => Promise<void>>> = values.quick
  ? {
      keys: (ground, figures) => measureKeys(ground, figures, [10, 10_000], 1_000),
      deployments: (ground, figures) => measureDeployments(ground, figures, [1, 100], 1_000),
      rows: (ground, figures) => measureRows(ground, figures, [1, 1_000, 100_000], 20),
      replicas: (ground, figures) => measureReplicas(ground, figures, [1, 2], 2_000),
    }
  : {
      keys: (ground, figures) => measureKeys(ground, figures, [10, 10_000, 1_000_000], 3_000),
      deployments: (ground, figures) => measureDeployments(ground, figures, [1, 10, 100, 1_000], 3_000),
      rows: (ground, figures) => measureRows(ground, figures, [1, 1_000, 100_000, 10_000_000], 50),
      replicas: (ground, figures) => measureReplicas(ground, figures, [1, 2, 3], 8_000),
    };

if (values.help) console.log(usage);
else process.exitCode = await main();

async function main(): Promise<number> {
  const wanted = (values.only?.split(',') ?? names) as Section[];
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    console.error(`--only: ${unknown.join(', ')} is none of ${names.join(', ')}`);
    return 2;
  }
  const figures = new Figures((text) => console.error(text));
  for (const name of wanted) {
    // Each has a server of its own, so that none measures what another left.
    const ground = await openGround();
    try {
      await measure[name](ground, figures);
    } finally {
      await ground.close();
    }
  }
  console.log(tables(figures.curves));
  if (values.write) keep(figures.curves);
  return 0;
}

/** A table in Markdown for each section: a row for each size, a column for each figure. */
function tables(curves: readonly Curve[]): string {
  return names
    .flatMap((name) => {
      const own = curves.filter(({ section }) => section === name);
      if (own.length === 0) return [];
      const sizes = own[0]!.points.map(({ size }) => size);
      const rows = sizes.map((size) => [
        size.toLocaleString('en'),
        ...own.map(({ points }) => rounded(points.find((point) => point.size === size)?.value ?? Number.NaN)),
      ]);
      const heads = [name, ...own.map(({ name, unit }) => (unit === '' ? name : `${name} (${unit})`))];
      const lines = [heads, heads.map(() => '---:'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
      return [`### ${sections[name]}\n\n${lines.join('\n')}`];
    })
    .join('\n\n');
}

/** A part of the sections takes the place of the same ones of the last run on record. */
function keep(measured: readonly Curve[]): void {
  const file = join(root, 'bench', 'results', 'scale.json');
  const kept = readKept(file).filter(({ section }) => !measured.some((curve) => curve.section === section));
  const order = (curve: Curve) => names.indexOf(curve.section as Section);
  const curves = [...kept, ...measured].sort((one, other) => order(one) - order(other));
  const { date, commit, node, processor } = historyEntry(root, {
    mode: 'scale',
    features: [],
    verdicts: [],
    results: new Map(),
  });
  const run = { date, commit, node, processor, cores: cpus().length };
  writeFileSync(file, `${JSON.stringify({ run, curves }, null, 2)}\n`);
  writeFileSync(join(root, 'docs', 'scale.svg'), scalePlot(Object.entries(sections), curves));
  const page = join(root, 'docs', 'scale.md');
  const text = readFileSync(page, 'utf8');
  const [begin, end] = ['<!-- figures begin -->', '<!-- figures end -->'];
  const told = `Last run: \`npm run bench:scale\` at ${commit}, ${date.slice(0, 10)}, ${run.cores} cores (${processor}), Node ${node}.`;
  const before = text.slice(0, text.indexOf(begin) + begin.length);
  writeFileSync(page, `${before}\n\n${told}\n\n${tables(curves)}\n\n${text.slice(text.indexOf(end))}`);
}

function readKept(file: string): readonly Curve[] {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { curves: Curve[] }).curves;
  } catch {
    return [];
  }
}
