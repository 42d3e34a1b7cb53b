import { Command, InvalidArgumentError } from 'commander';
import { type CostPicture, costPicture, percent } from '../admin/usage/cost-picture.ts';
import type { CostSources } from '../admin/usage/cost-sources.ts';
import { table } from '../core/text-table.ts';
import { type DatabaseWords, dataFolderOption } from './database.ts';
import { rangeWords } from './time-range.ts';

interface CostWords extends DatabaseWords {
  readonly config: string;
  readonly from: string;
  readonly to?: string;
  readonly hours: number;
  readonly overflow?: number;
  readonly rate?: number;
  readonly gatewayCost: number;
  readonly cloud?: readonly string[];
  readonly json?: boolean;
}

const cloudsShownMax = 5;

/** `tollgate cost`: what this traffic costs on GPUs, in the cloud, and in between. */
export function costCommand(): Command {
  return new Command('cost')
    .description('price the traffic on record in other set-ups: cloud, own GPUs, GPUs with overflow to the cloud')
    .requiredOption('-c, --config <file>', 'configuration with the deployments, their prices and GPU hours')
    .option('--from <time>', 'start: a date, or how long ago (7d, 24h)', '30d')
    .option('--to <time>', 'end (default: now)')
    .option('--hours <number>', 'length of the run that is priced', positive, 8)
    .option(
      '--overflow <percent>',
      'part of the requests that overflows to the cloud (default: as recorded)',
      percentage,
    )
    .option('--rate <number>', 'requests a second (default: as recorded)', positive)
    .option('--gateway-cost <dollars>', 'what the machine under the gateway costs an hour', notNegative, 0.0625)
    .option(
      '--cloud <models...>',
      `cloud models to compare with (default: the ${cloudsShownMax} cheapest for this traffic)`,
    )
    .addOption(dataFolderOption())
    .option('--json', 'print JSON for programs')
    .action(async (words: CostWords) => {
      const [{ openStore }, { databaseOf }, { systemClock }, { costSources }, { snapshotOf }] = await Promise.all([
        import('../adapters/sql/open-store.ts'),
        import('./database.ts'),
        import('../adapters/system-clock.ts'),
        import('../admin/usage/cost-sources.ts'),
        import('./snapshot.ts'),
      ]);
      const now = systemClock().now();
      const snapshot = await snapshotOf(words.config, now);
      const range = rangeWords(words, now);
      const store = await openStore(await databaseOf(words, now));
      try {
        const { traffic, gpus, clouds, covered, healthChecks } = await costSources(store, snapshot, range, now);
        const wanted = chosen(clouds, words.cloud);
        const whole = costPicture(traffic, gpus, wanted, {
          hours: words.hours,
          overflow: words.overflow ?? null,
          requestsPerSecond: words.rate ?? null,
          gatewayDollarsPerHour: words.gatewayCost,
        });
        const picture = words.cloud === undefined ? cheapest(whole) : whole;
        if (words.json)
          console.log(
            JSON.stringify(
              {
                ...picture,
                from: new Date(covered.from),
                to: new Date(covered.to),
                requestsOnRecord: traffic.requests,
                healthChecks,
              },
              null,
              2,
            ),
          );
        else console.log(render(picture, covered, traffic.requests, healthChecks));
      } finally {
        await store.close();
      }
    });
}

function chosen<Model extends { readonly name: string }>(
  clouds: readonly Model[],
  names: readonly string[] | undefined,
) {
  if (names === undefined) return clouds;
  const missing = names.find((name) => !clouds.some((cloud) => cloud.name === name));
  if (missing === undefined) return clouds.filter(({ name }) => names.includes(name));
  const known = clouds.map(({ name }) => name).join(', ') || 'none';
  throw new Error(`--cloud ${missing}: no such model paid by the token in the configuration; there are: ${known}`);
}

/** Setups come in order of the cloud model's price: the first few models are kept. */
function cheapest(picture: CostPicture): CostPicture {
  const names = [...new Set(picture.setups.flatMap(({ name }) => /^(.*), direct$/.exec(name)?.[1] ?? []))];
  const kept = new Set(names.filter((name) => name !== 'GPUs').slice(0, cloudsShownMax));
  const isKept = (name: string) =>
    !names.some(
      (one) =>
        one !== 'GPUs' &&
        !kept.has(one) &&
        (name.startsWith(`${one},`) || name.startsWith(`${one} through`) || name.endsWith(` to ${one}`)),
    );
  return {
    ...picture,
    setups: picture.setups.filter(({ name }) => isKept(name)),
    gpus: picture.gpus.map((gpu) => ({ ...gpu, breakEven: gpu.breakEven.filter(({ cloud }) => kept.has(cloud)) })),
  };
}

function render(
  picture: CostPicture,
  range: { from: number; to: number },
  requests: number,
  healthChecks: CostSources['healthChecks'],
): string {
  const day = (at: number) => new Date(at).toISOString().slice(0, 16).replace('T', ' ');
  const lines = [
    `${requests} answered requests from ${day(range.from)} to ${day(range.to)} UTC: ${figure(picture.inputTokensPerRequest)} tokens in and ${figure(picture.outputTokensPerRequest)} out each, ${percent(picture.overflowSeen)} overflowed.`,
    `Priced: ${picture.hours} hours at ${figure(picture.requestsPerSecond)} requests/s (${figure(picture.requests)} requests).`,
    '',
    table(
      ['SET-UP', 'OVERHEAD', 'US DOLLARS', 'BY PROVIDER', ''],
      picture.setups.map((setup) => [
        setup.name,
        `${figure(setup.overheadMs)} ms`,
        money(setup.dollars),
        Object.entries(setup.byProvider)
          .map(([provider, dollars]) => `${provider} ${money(dollars)}`)
          .join(', '),
        setup.note ?? '',
      ]),
    ),
  ];
  if (healthChecks.requests > 0) {
    const paid = healthChecks.dollars > 0 ? `they cost ${money(healthChecks.dollars)} US dollars` : 'they cost nothing';
    lines.splice(1, 0, `Left out: ${healthChecks.requests} health checks; ${paid} in this time.`);
  }
  if (requests === 0) lines.push('', 'Nothing was recorded in this time: there is no traffic to price.');
  for (const gpu of picture.gpus) {
    lines.push(
      '',
      `${gpu.name}: ${money(gpu.dollarsPerHour)} US dollars an hour`,
      `  rated   ${figure(gpu.ratedTokensPerSecond)} tokens/s → ${figure(gpu.dollarsPerMillionRated)} US dollars per million tokens`,
      `  served  ${figure(gpu.servedTokensPerSecond)} tokens/s (${percent(gpu.utilization)} of rated) → ${
        gpu.dollarsPerMillionServed === null
          ? 'nothing was served'
          : `${figure(gpu.dollarsPerMillionServed)} US dollars per million tokens`
      }`,
    );
    for (const { cloud, dollarsPerMillion, requestsPerSecond, tokensPerSecond, utilization } of gpu.breakEven) {
      const named = `${cloud} (${figure(dollarsPerMillion)} per million tokens of this traffic)`;
      lines.push(
        utilization > 1
          ? `  never cheaper than ${named}: it would take ${percent(utilization)} of the rated tokens/s`
          : `  cheaper than ${named} from ${figure(requestsPerSecond)} requests/s on (${figure(tokensPerSecond)} tokens/s, ${percent(utilization)} of rated)`,
      );
    }
  }
  if (picture.gpus.length === 0) {
    lines.push(
      '',
      'No deployment has gpu_cost_per_hour and tokens_per_second: set both to see self-hosted models here.',
    );
  }
  return lines.join('\n');
}

function figure(value: number): string {
  return String(Number(value.toPrecision(value >= 1_000 ? 4 : 3)));
}

function money(dollars: number): string {
  return dollars !== 0 && Math.abs(dollars) < 0.01 ? String(Number(dollars.toPrecision(3))) : dollars.toFixed(2);
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('expected a number above 0');
}

function notNegative(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('expected a number, 0 or more');
}

function percentage(text: string): number {
  const value = Number(text.replace(/%$/, ''));
  if (text.trim() !== '' && value >= 0 && value <= 100) return value / 100;
  throw new InvalidArgumentError('expected a percentage from 0 to 100');
}
