import { Command, InvalidArgumentError } from 'commander';
import type { RequestRecord } from '../core/request-record.ts';
import { table } from '../core/text-table.ts';
import { type DatabaseWords, dataFolderOption } from './database.ts';
import type { Spread } from './simulate/report.ts';
import type { Simulation } from './simulate/run.ts';

interface SimulateWords extends DatabaseWords {
  readonly config: string;
  readonly database?: string;
  readonly from: string;
  readonly to?: string;
  readonly runs: number;
  readonly seed: number;
  readonly limit: number;
  readonly json?: boolean;
}

/** `tollgate simulate-routing`: what another configuration would have made of the requests on record. */
export function simulateRoutingCommand(): Command {
  return new Command('simulate-routing')
    .description('replay the requests on record against another configuration: cost, latency, overflow, refusals')
    .requiredOption('-c, --config <file>', 'the configuration to try')
    .option('--database <file>', 'configuration that names the database, where the one to try names another')
    .option('--from <time>', 'start: a date, or how long ago (7d, 24h)', '7d')
    .option('--to <time>', 'end (default: now)')
    .option('--runs <number>', 'times to replay, each with other chances', wholeNumber, 5)
    .option('--seed <number>', 'same seed, same result', wholeNumber, 1)
    .option('--limit <number>', 'most requests to replay, the newest', wholeNumber, 100_000)
    .addOption(dataFolderOption())
    .option('--json', 'print JSON for programs')
    .action(async (words: SimulateWords) => {
      const [{ openStore }, { databaseOf }, { systemClock }, { rangeOf }, { snapshotOf }, { simulate }] =
        await Promise.all([
          import('../adapters/sql/open-store.ts'),
          import('./database.ts'),
          import('../adapters/system-clock.ts'),
          import('../admin/usage/filter.ts'),
          import('./snapshot.ts'),
          import('./simulate/run.ts'),
        ]);
      const now = systemClock().now();
      const snapshot = await snapshotOf(words.config, now);
      const range = rangeOf(words, now, 7 * 86_400_000);
      const store = await openStore(await databaseOf({ ...words, config: words.database ?? words.config }, now));
      let records: RequestRecord[];
      try {
        records = await newest(store, range, words.limit);
      } finally {
        await store.close();
      }
      const result = simulate(records, snapshot, words.runs, words.seed);
      if (words.json) console.log(JSON.stringify(result, null, 2));
      else console.log(render(result, range, records.length === words.limit));
    });
}

const pageRows = 1_000;

async function newest(
  { usage }: { readonly usage: Pick<import('../core/store.ts').UsageRepository, 'list'> },
  range: { from: number; to: number },
  limit: number,
): Promise<RequestRecord[]> {
  const records: RequestRecord[] = [];
  let after: { startedAt: number; id: string } | undefined;
  while (records.length < limit) {
    const wanted = Math.min(pageRows, limit - records.length);
    const page = await usage.list(range, { offset: 0, limit: wanted, ...(after === undefined ? {} : { after }) });
    records.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < wanted) break;
    after = { startedAt: last.startedAt, id: last.id };
  }
  return records;
}

function render(result: Simulation, range: { from: number; to: number }, isCut: boolean): string {
  const { recorded, evidence } = result;
  const time = (at: number) => new Date(at).toISOString().slice(0, 16).replace('T', ' ');
  if (recorded.requests === 0) {
    return `No request that was routed is on record from ${time(range.from)} to ${time(range.to)} UTC.`;
  }
  const rows = [
    ['answered', percent(recorded.answered / recorded.requests), range3(result.answered, percent)],
    ['cost, US dollars', money(recorded.dollars), range3(result.dollars, money)],
    ['latency p50', ms(recorded.p50Ms), range3(result.p50Ms, ms)],
    ['latency p95', ms(recorded.p95Ms), range3(result.p95Ms, ms)],
    ['latency p99', ms(recorded.p99Ms), range3(result.p99Ms, ms)],
    ['answered by a fallback', percent(recorded.overflow), range3(result.overflow, percent)],
    [
      'attempts a request',
      recorded.attemptsPerRequest.toFixed(2),
      (result.simulated.reduce((sum, run) => sum + run.attemptsPerRequest, 0) / result.simulated.length).toFixed(2),
    ],
  ];
  const providers = new Set(
    [recorded, ...result.simulated].flatMap(({ dollarsByProvider }) => Object.keys(dollarsByProvider)),
  );
  for (const provider of [...providers].sort()) {
    const mean = result.simulated.reduce((sum, run) => sum + (run.dollarsByProvider[provider] ?? 0), 0);
    rows.push([
      `  of it ${provider}`,
      money(recorded.dollarsByProvider[provider] ?? 0),
      money(mean / result.simulated.length),
    ]);
  }
  const lines = [
    `${recorded.requests} requests from ${time(range.from)} to ${time(range.to)} UTC${isCut ? ' (the newest; --limit takes more)' : ''}, replayed ${result.simulated.length} times.`,
    '',
    table(['', 'RECORDED', 'SIMULATED (lowest – highest of the runs)'], rows),
  ];
  const errors = new Map<string, number>();
  for (const run of result.simulated) {
    for (const [code, count] of Object.entries(run.errors)) {
      errors.set(code, (errors.get(code) ?? 0) + count / result.simulated.length);
    }
  }
  if (errors.size > 0) {
    lines.push('', 'Not answered in the simulation, on average:');
    for (const [code, count] of [...errors].sort(([, one], [, other]) => other - one)) {
      lines.push(`  ${code}: ${Number(count.toFixed(1))} (recorded: ${recorded.errors[code] ?? 0})`);
    }
  }
  lines.push('', 'How sure this is:');
  lines.push(
    `  ${percent(evidence.itself)} of the attempts rest on what this very deployment did, at about that moment`,
  );
  if (evidence['same model'] > 0)
    lines.push(`  ${percent(evidence['same model'])} on the same model at another deployment`);
  if (evidence['same provider'] > 0)
    lines.push(`  ${percent(evidence['same provider'])} on other models of the same provider`);
  if (evidence.others > 0)
    lines.push(`  ${percent(evidence.others)} on nothing alike: their times and failures are those of the others`);
  if (result.guessedUsage > 0)
    lines.push(`  ${result.guessedUsage} requests had no usage on record: the mean of their model stands in`);
  const unpriced = Math.max(...result.simulated.map((run) => run.unpriced));
  if (unpriced > 0) lines.push(`  up to ${unpriced} answers have no price: they count as free`);
  lines.push(
    `  ${result.leftOut} refused or abandoned requests and health checks are in neither column; limits of keys, teams and users are as they were`,
    '  another answer may be longer or shorter: tokens are taken as recorded; more load on a provider may slow it down',
  );
  return lines.join('\n');
}

function range3({ mean, low, high }: Spread, text: (value: number) => string): string {
  const [middle, from, to] = [text(mean), text(low), text(high)];
  return from === to ? middle : `${middle} (${from} – ${to})`;
}

function percent(part: number): string {
  return `${Number((part * 100).toPrecision(3))} %`;
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}

function money(dollars: number): string {
  return dollars !== 0 && Math.abs(dollars) < 0.01 ? String(Number(dollars.toPrecision(3))) : dollars.toFixed(2);
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number above 0');
}
