import { parseArgs } from 'node:util';
import { run } from './run.ts';

const usage = `Plays the ledger with a fake clock, a seeded chance, failing stores and dying processes, and checks the books at
every step. A failure names the seed that repeats it.

  npm run simulate -- [--seeds N] [--seed S] [--steps N]

  --seed S    first seed (default 1); alone it plays just this one
  --seeds N   how many seeds (default 200)
  --steps N   steps per seed (default 400)
`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    steps: { type: 'string', default: '400' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  process.stdout.write(usage);
} else {
  const first = Number(values.seed ?? 1);
  const count = Number(values.seeds ?? (values.seed === undefined ? 200 : 1));
  const steps = Number(values.steps);
  const total = { requests: 0, refused: 0, deaths: 0 };
  const beganAt = performance.now();
  for (let seed = first; seed < first + count; seed++) {
    try {
      const result = await run(seed, steps);
      total.requests += result.requests;
      total.refused += result.refused;
      total.deaths += result.deaths;
    } catch (cause) {
      console.error(`seed ${seed} with ${steps} steps:`, cause);
      console.error(`Repeat it: npm run simulate -- --seed ${seed} --steps ${steps}`);
      process.exitCode = 1;
      break;
    }
  }
  const seconds = ((performance.now() - beganAt) / 1_000).toFixed(1);
  console.log(JSON.stringify({ first, count, steps, ...total, seconds: Number(seconds) }));
}
