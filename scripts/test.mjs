// The README's test command: types, lint, then every test. `--only check` stops after the first two.
import { spawnSync } from 'node:child_process';

const nodeMajorMin = 24;
if (Number.parseInt(process.versions.node, 10) < nodeMajorMin) {
  console.error(
    `The tests need Node ${nodeMajorMin} or newer and this is ${process.version}; \`npm ci\` brings one on Linux.`,
  );
  process.exit(1);
}

const steps = [
  ['types', 'node_modules/typescript/bin/tsc', ['--noEmit']],
  ['lint', 'node_modules/@biomejs/biome/bin/biome', ['check', '.']],
  [
    'tests',
    'node_modules/vitest/vitest.mjs',
    ['run', ...process.argv.slice(2).filter((word) => word !== '--only' && word !== 'check')],
  ],
];
const wanted = process.argv.includes('--only') ? steps.slice(0, 2) : steps;

for (const [name, program, words] of wanted) {
  const startedAt = performance.now();
  const { status } = spawnSync(process.execPath, [program, ...words], { stdio: 'inherit' });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${name}: ${status === 0 ? 'ok' : 'FAILED'} (${seconds} s)`);
  if (status !== 0) process.exit(status ?? 1);
}
