import { dollarsFromNanodollars } from '../../core/money.ts';
import { healthCheckTag } from '../../core/request-record.ts';
import type { Deployment, Snapshot } from '../../core/route.ts';
import type { Store, UsageMeasures } from '../../core/store.ts';
import type { CloudModel, SelfHosted, Traffic } from './cost-picture.ts';
import type { TimeRange } from './filter.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Less says nothing of requests a second. */
const shortestMs = 60_000;
/** Rows looked through for what overflow costs in time. */
const sampleRows = 2_000;

export interface CostSources {
  readonly traffic: Traffic;
  readonly gpus: SelfHosted[];
  readonly clouds: CloudModel[];
  /** The part of the time asked for that there are records of: a GPU is not idle before there was a gateway. */
  readonly covered: TimeRange;
  /** Left out of all the other figures: nobody's traffic. */
  readonly healthChecks: { readonly requests: number; readonly dollars: number };
}

/** What a cost picture is drawn from: the sums of a time, whole days, and what the configuration says of deployments. */
export async function costSources(
  { usage }: Pick<Store, 'usage'>,
  snapshot: Snapshot,
  range: TimeRange,
  now: number,
): Promise<CostSources> {
  const covered = await coveredTime(usage, range, now);
  const dimensions = ['deploymentId', 'provider', 'status'] as const;
  const all = (await usage.measure(range, dimensions)) ?? [];
  const checks = (await usage.measure({ ...range, tag: healthCheckTag }, dimensions)) ?? [];
  const measures = without(all, checks);
  const answered = measures.filter(({ group }) => group.status === 'success' && group.deploymentId !== null);
  const add = (of: readonly UsageMeasures[], pick: (one: UsageMeasures) => number) =>
    of.reduce((sum, one) => sum + pick(one), 0);
  const requests = add(answered, (one) => one.requests);
  const costByProvider: Record<string, number> = {};
  for (const one of measures) {
    if (one.cost === 0) continue;
    const provider = one.group.provider ?? 'unknown';
    costByProvider[provider] = (costByProvider[provider] ?? 0) + dollarsFromNanodollars(one.cost);
  }
  const overflowed = add(answered, (one) => one.fallbacks);
  const traffic: Traffic = {
    hours: (covered.to - covered.from) / hourMs,
    requests,
    inputTokens: add(answered, (one) => one.inputTokens),
    outputTokens: add(answered, (one) => one.outputTokens),
    meanOverheadMs: requests === 0 ? 0 : add(answered, (one) => one.overheadMs) / requests,
    overflowed,
    overflowDelayMs: overflowed === 0 ? null : await overflowDelay({ usage }, range),
    costByProvider,
  };
  const served = new Map<string, number>();
  for (const { group, inputTokens, outputTokens } of answered) {
    const id = group.deploymentId!;
    served.set(id, (served.get(id) ?? 0) + inputTokens + outputTokens);
  }
  const deployments = [...snapshot.deployments.values()];
  return {
    covered,
    healthChecks: {
      requests: add(checks, (one) => one.requests),
      dollars: dollarsFromNanodollars(add(checks, (one) => one.cost)),
    },
    traffic,
    gpus: deployments.flatMap((one) => selfHosted(one, served.get(one.id) ?? 0) ?? []),
    clouds: cloudModels(deployments),
  };
}

/** The sums of all requests less those of some of them, in the measures that a picture is drawn from. */
function without(all: readonly UsageMeasures[], some: readonly UsageMeasures[]): UsageMeasures[] {
  const nameOf = ({ group }: UsageMeasures) => JSON.stringify([group.deploymentId, group.provider, group.status]);
  const taken = new Map(some.map((one) => [nameOf(one), one]));
  return all.map((one) => {
    const less = taken.get(nameOf(one));
    if (less === undefined) return one;
    return {
      ...one,
      requests: one.requests - less.requests,
      inputTokens: one.inputTokens - less.inputTokens,
      outputTokens: one.outputTokens - less.outputTokens,
      overheadMs: one.overheadMs - less.overheadMs,
      fallbacks: one.fallbacks - less.fallbacks,
      cost: one.cost - less.cost,
    };
  });
}

/** From the first request on record, to now. */
async function coveredTime(usage: Store['usage'], range: TimeRange, now: number): Promise<TimeRange> {
  const to = Math.max(Math.min(range.to, now), range.from + shortestMs);
  const [firstDay] = await usage.summarize(range, ['day']);
  if (firstDay === undefined) return { from: range.from, to };
  const dayStart = Date.parse(`${firstDay.group.day}T00:00:00Z`);
  const [row] = await usage.list(range, { offset: 0, limit: 1, descending: false });
  // Rows may be gone while their sums are still there.
  const first = row === undefined || row.startedAt >= dayStart + dayMs ? dayStart : row.startedAt;
  return { from: Math.max(range.from, Math.min(first, to - shortestMs)), to };
}

/** Mean time of the attempts that failed before another group answered. */
async function overflowDelay({ usage }: Pick<Store, 'usage'>, range: TimeRange): Promise<number | null> {
  const rows = await usage.list({ ...range, status: 'success' }, { offset: 0, limit: sampleRows });
  const lost = rows.flatMap(({ attempts }) => {
    const last = attempts.at(-1);
    if (last === undefined || attempts[0]!.group === last.group) return [];
    return [last.startedAt - attempts[0]!.startedAt];
  });
  return lost.length === 0 ? null : lost.reduce((sum, one) => sum + one, 0) / lost.length;
}

function selfHosted(deployment: Deployment, servedTokens: number): SelfHosted | null {
  const figure = (name: string) => Number(deployment.publicParams[name] ?? deployment.modelInfo[name] ?? Number.NaN);
  const dollarsPerHour = figure('gpu_cost_per_hour');
  const ratedTokensPerSecond = figure('tokens_per_second');
  if (!(dollarsPerHour >= 0) || !(ratedTokensPerSecond > 0)) return null;
  const { group, id } = deployment;
  return {
    name: `${group} (${id.slice(0, 12)})`,
    provider: 'self-hosted',
    dollarsPerHour,
    ratedTokensPerSecond,
    servedTokens,
  };
}

/** Deployments that are paid by the token; equal ones once. */
function cloudModels(deployments: readonly Deployment[]): CloudModel[] {
  const models = new Map<string, CloudModel>();
  for (const { group, model, provider, price } of deployments) {
    if (price === null || price.source === 'gpu' || model.includes('*')) continue;
    if (price.rates.input === 0 && price.rates.output === 0) continue;
    models.set(`${provider.id}/${model}`, {
      name: group,
      provider: provider.id,
      dollarsPerInputToken: price.rates.input / 1e15,
      dollarsPerOutputToken: price.rates.output / 1e15,
    });
  }
  return [...models.values()];
}
