import { parseArgs } from 'node:util';
import { exhibits } from './exhibits/index.ts';
import { tour, unharmed } from './tour.ts';

const usage = `Brings known bugs of other gateways back, one at a time, in a copy of the sources, and runs the tests that must catch them.

  npm run museum -- [--only TEXT] [--parallel N]

  --only TEXT     exhibits whose name holds this
  --parallel N    copies side by side (default 2)
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    parallel: { type: 'string', default: '2' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  process.stdout.write(usage);
} else {
  const wanted = exhibits.filter(({ name }) => name.includes(values.only));
  const { passed, failed, broken } = await unharmed(wanted);
  console.log(`without any bug: ${passed} tests pass, ${failed + broken.length} fail`, ...broken);
  if (failed > 0 || broken.length > 0 || passed === 0) process.exit(1);
  const findings = await tour(wanted, Number(values.parallel), ({ exhibit, caught, run }) => {
    const seconds = (run.ms / 1000).toFixed(1).padStart(5);
    console.log(`${caught ? 'caught' : 'MISSED'} ${seconds} s  ${exhibit.name} (${exhibit.seen})`);
    if (!caught) console.log(`               ${run.passed} passed, ${run.broken.join('; ').slice(0, 500)}`);
  });
  const caught = findings.filter((finding) => finding.caught).length;
  console.log(`${caught} of ${findings.length} caught`);
  if (caught < findings.length) process.exitCode = 1;
}
