import { healthCheckTag, type RequestRecord, silentModelTag } from '../../core/request-record.ts';
import type { Snapshot } from '../../core/route.ts';
import { noUsage, totalTokens, type Usage } from '../../core/usage.ts';
import { Behaviour } from './behaviour.ts';
import { type ReplayedRequest, replay } from './replay.ts';
import { asRecorded, evidenceOf, figuresOf, type RunFigures, type Spread, spreadOf } from './report.ts';
import { seededChance } from './seeded-chance.ts';

export interface Simulation {
  readonly recorded: RunFigures;
  readonly simulated: readonly RunFigures[];
  readonly dollars: Spread;
  readonly p50Ms: Spread;
  readonly p95Ms: Spread;
  readonly p99Ms: Spread;
  readonly answered: Spread;
  readonly overflow: Spread;
  readonly evidence: ReturnType<typeof evidenceOf>;
  /** Requests of the record that say nothing about routing, and are not in either column. */
  readonly leftOut: number;
  /** Of those replayed, how many had no usage of their own and got the mean of their model. */
  readonly guessedUsage: number;
}

/** Replays what was recorded several times, with other chances each time: what differs between the runs is chance. */
export function simulate(
  records: readonly RequestRecord[],
  snapshot: Snapshot,
  runs: number,
  seed: number,
): Simulation {
  const routed = records.filter(isRouted).sort((one, other) => one.startedAt - other.startedAt);
  const means = meanUsages(routed);
  let guessedUsage = 0;
  const requests = routed.map((record): ReplayedRequest => {
    const known = totalTokens(record.usage) > 0;
    if (!known) guessedUsage += 1;
    return {
      at: record.startedAt,
      model: record.modelAsked ?? record.modelGroup ?? '',
      operation: record.operation,
      stream: record.stream,
      tags: record.tags,
      usage: known ? record.usage : (means.get(record.modelAsked) ?? noUsage),
      isCached: record.cacheHit,
    };
  });
  const behaviour = new Behaviour(routed);
  const replays = Array.from({ length: runs }, (_, run) =>
    replay(requests, snapshot, behaviour, seededChance(seed + run)),
  );
  const simulated = replays.map(figuresOf);
  return {
    recorded: figuresOf(routed.map(asRecorded)),
    simulated,
    dollars: spreadOf(simulated, (run) => run.dollars),
    p50Ms: spreadOf(simulated, (run) => run.p50Ms),
    p95Ms: spreadOf(simulated, (run) => run.p95Ms),
    p99Ms: spreadOf(simulated, (run) => run.p99Ms),
    answered: spreadOf(simulated, (run) => run.answered / (run.requests || 1)),
    overflow: spreadOf(simulated, (run) => run.overflow),
    evidence: evidenceOf(replays),
    leftOut: records.length - routed.length,
    guessedUsage,
  };
}

/** Refused before routing (key, budget, rate), left by its client, or the gateway's own (a check, a silent request): another routing would not have changed it. */
function isRouted({ status, modelAsked, attempts, cacheHit, tags }: RequestRecord): boolean {
  if (tags.includes(healthCheckTag) || tags.includes(silentModelTag)) return false;
  if (modelAsked === null || status === 'denied' || status === 'unknown' || status === 'aborted') return false;
  return attempts.length > 0 || cacheHit;
}

function meanUsages(records: readonly RequestRecord[]): ReadonlyMap<string | null, Usage> {
  const sums = new Map<string | null, { count: number; input: number; output: number }>();
  for (const { modelAsked, usage } of records) {
    if (totalTokens(usage) === 0) continue;
    const sum = sums.get(modelAsked) ?? { count: 0, input: 0, output: 0 };
    sum.count += 1;
    sum.input += usage.inputTokens;
    sum.output += usage.outputTokens;
    sums.set(modelAsked, sum);
  }
  return new Map(
    [...sums].map(([model, { count, input, output }]) => [
      model,
      { ...noUsage, inputTokens: Math.round(input / count), outputTokens: Math.round(output / count), estimated: true },
    ]),
  );
}
