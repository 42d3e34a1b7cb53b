import { dollarsFromNanodollars } from '../../core/money.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import type { Evidence } from './behaviour.ts';
import type { Replayed } from './replay.ts';

/** The figures of one run, or of what was recorded. */
export interface RunFigures {
  readonly requests: number;
  readonly answered: number;
  readonly dollars: number;
  readonly unpriced: number;
  readonly dollarsByProvider: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly overflow: number;
  readonly attemptsPerRequest: number;
  readonly errors: Readonly<Record<string, number>>;
}

export function figuresOf(run: readonly Replayed[]): RunFigures {
  const answered = run.filter((one) => one.answered);
  const times = answered.map(({ latencyMs }) => latencyMs).sort((one, other) => one - other);
  const at = (fraction: number) => times[Math.max(0, Math.ceil(fraction * times.length) - 1)] ?? 0;
  const byProvider: Record<string, number> = {};
  const errors: Record<string, number> = {};
  for (const { provider, cost, error } of run) {
    if (provider !== null && cost > 0)
      byProvider[provider] = (byProvider[provider] ?? 0) + dollarsFromNanodollars(cost);
    if (error !== null) errors[error] = (errors[error] ?? 0) + 1;
  }
  const count = run.length || 1;
  return {
    requests: run.length,
    answered: answered.length,
    dollars: dollarsFromNanodollars(run.reduce((sum, one) => sum + one.cost, 0)),
    unpriced: run.filter((one) => one.isUnpriced).length,
    dollarsByProvider: byProvider,
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
    overflow: run.filter((one) => one.overflowed).length / count,
    attemptsPerRequest: run.reduce((sum, one) => sum + one.attempts, 0) / count,
    errors,
  };
}

/** A record in the words of a replay. */
export function asRecorded(record: RequestRecord): Replayed {
  const first = record.attempts[0];
  return {
    answered: record.status === 'success',
    error: record.status === 'success' ? null : (record.errorCode ?? record.status),
    provider: record.provider,
    group: record.modelGroup,
    latencyMs: record.endedAt - record.startedAt,
    cost: record.cost,
    isUnpriced: record.deploymentId !== null && record.priceSource === null,
    attempts: record.attempts.length,
    overflowed: record.status === 'success' && first !== undefined && first.group !== record.modelGroup,
    evidence: [],
  };
}

/** Middle, lowest and highest of several runs. */
export interface Spread {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

export function spreadOf(runs: readonly RunFigures[], figure: (run: RunFigures) => number): Spread {
  const values = runs.map(figure);
  return {
    mean: values.reduce((sum, value) => sum + value, 0) / (values.length || 1),
    low: Math.min(...values),
    high: Math.max(...values),
  };
}

/** On what the simulated attempts rest, as parts of all. */
export function evidenceOf(runs: readonly (readonly Replayed[])[]): Readonly<Record<Evidence, number>> {
  const counts: Record<Evidence, number> = { itself: 0, 'same model': 0, 'same provider': 0, others: 0 };
  let all = 0;
  for (const run of runs) {
    for (const { evidence } of run) {
      for (const one of evidence) {
        counts[one] += 1;
        all += 1;
      }
    }
  }
  for (const one of Object.keys(counts) as Evidence[]) counts[one] = all === 0 ? 0 : counts[one] / all;
  return counts;
}
