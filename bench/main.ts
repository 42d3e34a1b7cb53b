import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Generator } from './generator.ts';
import { appendHistory, historyEntry, lastRatio } from './history.ts';
import { Measurement, type Plan } from './phases.ts';
import { writePlot } from './plot.ts';
import { ratchet, table, verdicts, wideTable } from './report.ts';
import { canStart, type RunningTarget, root, startUpstream, targets } from './targets.ts';

const usage = `npm run bench -- [options]
  Sends the same load to a bare upstream, to a bare Node proxy before it and to the gateway before it, on loopback,
  and says what each costs. Takes about three minutes.

  --quick            about 12 seconds a target, for a first impression: one turn of a noisy machine decides
  --long             adds 200,000 requests to each target, for memory
  --wide             adds large prompts, 10 and 1,000 connections, 5,000 requests/s, two workers, and nginx if installed
  --guard            fails when the gateway's CPU per request, in units of the bare proxy's, is more than 15 % above the
                     last run on record
  --targets A,B      which of: ${targets.map((target) => target.name).join(', ')} (the upstream is always measured)
  --json             prints the run as one JSON object
  --no-history       does not append the run to bench/results/history.jsonl
  --help`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    wide: { type: 'boolean', default: false },
    guard: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    'no-history': { type: 'boolean', default: false },
    targets: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const thorough: Plan = {
  warmUpRequests: 60_000,
  closedMs: 9_000,
  openMs: 12_000,
  streamMs: 6_000,
  turns: 3,
  afterworkMs: 700,
  longRequests: 0,
  wide: false,
};
const quick: Plan = { ...thorough, warmUpRequests: 12_000, closedMs: 1_200, openMs: 1_200, streamMs: 1_000, turns: 1 };

if (values.help) console.log(usage);
else process.exitCode = await bench();

async function bench(): Promise<number> {
  // What `npm start` runs is measured.
  execFileSync(process.execPath, [`${root}/scripts/build.mjs`, '--if-old'], { stdio: 'inherit' });
  if (!existsSync('/proc/self/stat')) {
    console.error('The benchmark reads the cost of a process from /proc and runs on Linux only.');
    return 2;
  }
  const usual = targets.filter((target) => values.wide || !target.wide).map((target) => target.name);
  const wanted = values.targets?.split(',') ?? usual;
  const unknown = wanted.filter((name) => !targets.some((target) => target.name === name));
  if (unknown.length > 0) {
    console.error(
      `No target is called ${unknown.join(' or ')}; there are ${targets.map((target) => target.name).join(', ')}.`,
    );
    return 2;
  }
  const say = (line: string): void => console.error(`bench: ${line}`);
  const generator = new Generator();
  const running: RunningTarget[] = [];
  try {
    const upstream = await startUpstream();
    running.push(upstream);
    for (const target of targets.filter((one) => wanted.includes(one.name))) {
      if (!canStart(target)) say(`${target.name} is left out: it is not installed`);
      else running.push(await target.start(upstream.port));
    }
    const plan = { ...(values.quick ? quick : thorough), longRequests: values.long ? 200_000 : 0, wide: values.wide };
    const results = await new Measurement(generator, plan, say).run(running);
    const found = verdicts(results);
    if (values.guard) found.push(...ratchet(results, lastRatio(root)));
    const more = (['long', 'wide'] as const).filter((name) => values[name]);
    const mode = [values.quick ? 'quick' : 'thorough', ...more].join('+');
    const features = running.flatMap((target) => target.features);
    const entry = historyEntry(root, { mode, features, results, verdicts: found });
    if (!values['no-history']) appendHistory(root, entry);
    if (!values['no-history']) writePlot(root);
    if (values.json) console.log(JSON.stringify(entry));
    else {
      console.log(`\n${table(results)}\n`);
      if (values.wide) console.log(`${wideTable(results)}\n`);
      for (const verdict of found) {
        console.log(`${verdict.passed ? 'pass' : 'FAIL'}  ${verdict.limit}: ${verdict.measured}`);
      }
    }
    for (const [name, figures] of results) {
      if (figures.failures > 0)
        console.error(`bench: ${figures.failures} failures at ${name}, first: ${figures.firstFailure}`);
    }
    return found.every((verdict) => verdict.passed) ? 0 : 1;
  } finally {
    generator.close();
    await Promise.all(running.map((target) => target.stop()));
  }
}
