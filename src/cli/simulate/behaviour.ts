import type { Chance } from '../../core/ports.ts';
import type { Attempt, RequestRecord } from '../../core/request-record.ts';
import type { Deployment } from '../../core/route.ts';
import { totalOutputTokens } from '../../core/usage.ts';

/** How well a deployment is known from the record. */
export type Evidence = 'itself' | 'same model' | 'same provider' | 'others';

export interface Trial {
  readonly durationMs: number;
  /** Error code; null = it answered. */
  readonly error: string | null;
  readonly status: number | null;
  readonly evidence: Evidence;
}

interface Observation {
  readonly at: number;
  readonly durationMs: number;
  readonly error: string | null;
  readonly status: number | null;
  readonly outputTokens: number;
}

interface Pool {
  readonly all: readonly Observation[];
  readonly answered: readonly Observation[];
  /** Milliseconds of an answer = base + perToken × its output tokens, as a straight line through what was seen. */
  readonly baseMs: number;
  readonly perTokenMs: number;
}

/** Attempts this near in time tell of an outage or a slow spell. */
const nearMs = 60_000;
const nearMax = 5;

/**
 * How providers behave, learned from attempts on record: whether one answers is taken from attempts of about that moment,
 * so that outages stay where they were; how long an answer takes from its length and a sample of the spread.
 */
export class Behaviour {
  readonly #pools = new Map<string, Pool>();
  readonly #any: Pool;

  constructor(records: readonly RequestRecord[]) {
    const observations = new Map<string, Observation[]>();
    const everything: Observation[] = [];
    for (const record of records) {
      for (const [index, attempt] of record.attempts.entries()) {
        if (attempt.result === 'aborted') continue;
        const isLast = index === record.attempts.length - 1;
        const one = observation(attempt, isLast ? totalOutputTokens(record.usage) : 0);
        everything.push(one);
        for (const key of keysOf(attempt.deploymentId, attempt.provider, attempt.model)) {
          const list = observations.get(key);
          if (list === undefined) observations.set(key, [one]);
          else list.push(one);
        }
      }
    }
    for (const [key, list] of observations) this.#pools.set(key, poolOf(list));
    this.#any = poolOf(everything);
  }

  try(deployment: Deployment, at: number, outputTokens: number, chance: Chance): Trial {
    const [itself, model, provider] = keysOf(deployment.id, deployment.provider.id, deployment.model);
    const levels = [
      ['itself', this.#pools.get(itself!)],
      ['same model', this.#pools.get(model!)],
      ['same provider', this.#pools.get(provider!)],
    ] as const;
    const [evidence, pool] = levels.find(([, one]) => one !== undefined) ?? (['others', this.#any] as const);
    const known = pool ?? this.#any;
    const like = near(known.all, at, chance) ?? any(known.all, chance);
    if (like !== undefined && like.error !== null) {
      return { durationMs: like.durationMs, error: like.error, status: like.status, evidence };
    }
    return { durationMs: answerMs(known, outputTokens, chance), error: null, status: 200, evidence };
  }
}

function keysOf(deploymentId: string, provider: string, model: string): readonly string[] {
  return [`deployment ${deploymentId}`, `model ${provider}/${model}`, `provider ${provider}`];
}

function observation(attempt: Attempt, outputTokens: number): Observation {
  const error = attempt.result === 'success' ? null : attempt.result;
  return { at: attempt.startedAt, durationMs: attempt.durationMs, error, status: attempt.status, outputTokens };
}

function poolOf(list: Observation[]): Pool {
  const all = list.sort((one, other) => one.at - other.at);
  const answered = all.filter(({ error }) => error === null);
  const count = answered.length || 1;
  const meanTokens = answered.reduce((sum, one) => sum + one.outputTokens, 0) / count;
  const meanMs = answered.reduce((sum, one) => sum + one.durationMs, 0) / count;
  let together = 0;
  let spread = 0;
  for (const { outputTokens, durationMs } of answered) {
    together += (outputTokens - meanTokens) * (durationMs - meanMs);
    spread += (outputTokens - meanTokens) ** 2;
  }
  const slope = spread === 0 ? 0 : Math.max(0, together / spread);
  const perTokenMs = meanMs - slope * meanTokens < 0 ? (meanTokens === 0 ? 0 : meanMs / meanTokens) : slope;
  return { all, answered, perTokenMs, baseMs: Math.max(0, meanMs - perTokenMs * meanTokens) };
}

function answerMs({ answered, baseMs, perTokenMs }: Pool, outputTokens: number, chance: Chance): number {
  const sample = any(answered, chance);
  const expected = (tokens: number) => baseMs + perTokenMs * tokens;
  if (sample === undefined) return expected(outputTokens);
  const usual = expected(sample.outputTokens);
  return expected(outputTokens) * (usual === 0 ? 1 : sample.durationMs / usual);
}

/** One of the few attempts nearest in time, if there is any within a minute. */
function near(all: readonly Observation[], at: number, chance: Chance): Observation | undefined {
  let low = 0;
  let high = all.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (all[middle]!.at < at) low = middle + 1;
    else high = middle;
  }
  const around = all
    .slice(Math.max(0, low - nearMax), low + nearMax)
    .filter((one) => Math.abs(one.at - at) <= nearMs)
    .sort((one, other) => Math.abs(one.at - at) - Math.abs(other.at - at))
    .slice(0, nearMax);
  return any(around, chance);
}

function any(list: readonly Observation[], chance: Chance): Observation | undefined {
  return list[Math.floor(chance.fraction() * list.length)];
}
