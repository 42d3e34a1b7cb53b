import { parseArgs } from 'node:util';
import { trial } from './trial.ts';

const usage = `Random requests at random deployments: is what is held before a request never less than what it can be billed?

  npm run bound -- [--count N] [--seed S]

  --count N   how many requests (default 100000)
  --seed S    the first one (default 1); a failure names the seed that repeats it
`;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  process.stdout.write(usage);
} else {
  const first = Number(values.seed);
  const count = Number(values.count);
  const kinds = { held: 0, unbounded: 0, refused: 0 };
  const startedAt = performance.now();
  for (let seed = first; seed < first + count; seed++) kinds[trial(seed).kind] += 1;
  const seconds = Number(((performance.now() - startedAt) / 1000).toFixed(1));
  console.log(JSON.stringify({ first, count, ...kinds, exceeded: 0, seconds }));
}
