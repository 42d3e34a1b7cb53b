import { chargeOf } from '../../core/charge.ts';
import { type ErrorCode, GatewayError } from '../../core/errors.ts';
import type { BudgetRule } from '../../core/limits.ts';
import { priceAt } from '../../core/off-peak.ts';
import type { Chance } from '../../core/ports.ts';
import { costOf } from '../../core/price.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import type { Deployment, FallbackMap, ModelGroup, Snapshot } from '../../core/route.ts';
import { totalInputTokens, totalOutputTokens, type Usage } from '../../core/usage.ts';
import { windowOf } from '../../core/window.ts';
import { createHealth } from '../../gateway/routing/health.ts';
import { findModel } from '../../gateway/routing/model-lookup.ts';
import { pickDeployment, type Surroundings } from '../../gateway/routing/pick-deployment.ts';
import { backoffMs, retriesAllowed } from '../../gateway/routing/retry.ts';
import type { Behaviour, Evidence } from './behaviour.ts';
import { VirtualClock } from './virtual-clock.ts';

/** One recorded request, as it would have gone. */
export interface Replayed {
  readonly answered: boolean;
  /** Why not. */
  readonly error: string | null;
  readonly provider: string | null;
  readonly group: string | null;
  readonly latencyMs: number;
  /** Nano-dollars. */
  readonly cost: number;
  readonly isUnpriced: boolean;
  readonly attempts: number;
  readonly overflowed: boolean;
  readonly evidence: readonly Evidence[];
}

/** What is replayed: when it came, what it asked for, what it used. */
export interface ReplayedRequest {
  readonly at: number;
  readonly model: string;
  readonly operation: RequestRecord['operation'];
  readonly stream: boolean;
  readonly tags: readonly string[];
  readonly usage: Usage;
  readonly isCached: boolean;
}

/** Sends the requests, at their times, through the routing of another configuration. */
export function replay(
  requests: readonly ReplayedRequest[],
  snapshot: Snapshot,
  behaviour: Behaviour,
  chance: Chance,
): Replayed[] {
  const clock = new VirtualClock(requests[0]?.at ?? 0);
  const spent = new Map<string, number>();
  const accountOf = (rule: BudgetRule) =>
    `${rule.scope} ${rule.id} ${rule.duration} ${windowOf(rule.duration, rule.timezone, clock.now()).start}`;
  const balance = (rule: BudgetRule) => ({ spent: spent.get(accountOf(rule)) ?? 0, held: 0, resetAt: null });
  const surroundings: Surroundings = { clock, chance, health: createHealth(clock), ledger: { balance } };
  const charge = (deployment: Deployment, cost: number) => {
    for (const rule of deployment.budgets) spent.set(accountOf(rule), balance(rule).spent + cost);
  };
  const done: Replayed[] = [];
  for (const request of requests) {
    clock.runUntil(request.at);
    new Journey(request, snapshot, behaviour, surroundings, charge, (replayed) => done.push(replayed)).start();
  }
  clock.runUntil(Number.POSITIVE_INFINITY);
  return done;
}

class Journey {
  readonly #request: ReplayedRequest;
  readonly #snapshot: Snapshot;
  readonly #behaviour: Behaviour;
  readonly #around: Surroundings;
  readonly #charge: (deployment: Deployment, cost: number) => void;
  readonly #end: (replayed: Replayed) => void;
  readonly #evidence: Evidence[] = [];
  readonly #entered = new Set<string>();
  /** Groups still to be tried. */
  #queue: string[] = [];
  #attempts = 0;
  #primary = '';

  constructor(
    request: ReplayedRequest,
    snapshot: Snapshot,
    behaviour: Behaviour,
    around: Surroundings,
    charge: (deployment: Deployment, cost: number) => void,
    end: (replayed: Replayed) => void,
  ) {
    this.#request = request;
    this.#snapshot = snapshot;
    this.#behaviour = behaviour;
    this.#around = around;
    this.#charge = charge;
    this.#end = end;
  }

  start(): undefined {
    const { model, isCached } = this.#request;
    const found = findModel(this.#snapshot, model);
    if (found === null) {
      const [instead, ...rest] = this.#snapshot.router.defaultFallbacks;
      if (instead === undefined) return this.#over(null, null, 'unknown_model');
      this.#queue = rest;
      return this.#enter(instead, 'unknown_model');
    }
    if (isCached && this.#snapshot.settings.cache !== null) return this.#over(null, found.group.name, null);
    this.#primary = found.group.name;
    this.#enter(found.group.name, 'no_capable_deployment');
  }

  #enter(name: string, error: string): undefined {
    this.#entered.add(name);
    const group = findModel(this.#snapshot, name)?.group;
    const candidates = group === undefined ? [] : this.#usable(group);
    this.#queue.push(...this.#fallbacks(name));
    if (candidates.length === 0) return this.#next(error);
    this.#try(name, candidates, new Set(), 0);
  }

  #usable(group: ModelGroup): readonly Deployment[] {
    const { operation, tags } = this.#request;
    const able = group.deployments.filter(
      (one) => one.unusable === null && !one.blocked && one.operations.includes(operation),
    );
    if (!this.#snapshot.router.tagFiltering) return able;
    const meeting = able.filter((one) => tags.some((tag) => one.tags.includes(tag)));
    if (meeting.length > 0) return meeting;
    const byDefault = able.filter((one) => one.tags.includes('default'));
    return byDefault.length > 0 || tags.length > 0 ? byDefault : able;
  }

  #fallbacks(name: string): readonly string[] {
    const { router } = this.#snapshot;
    if (this.#entered.size > router.fallbacksMax) return [];
    return lookUp(router.fallbacks, name) ?? router.defaultFallbacks;
  }

  /** The next group that was not tried, or the end. */
  #next(error: string): undefined {
    const name = this.#queue.find((one) => !this.#entered.has(one));
    if (name === undefined) return this.#over(null, null, error);
    this.#enter(name, error);
  }

  #try(group: string, candidates: readonly Deployment[], tried: Set<string>, failures: number): undefined {
    const { snapshot, request } = { snapshot: this.#snapshot, request: this.#request };
    const bytes = { length: 4 * totalInputTokens(request.usage) } as Buffer;
    const exchange = { snapshot, bytes, facts: { stream: request.stream } as never };
    const picked = pickDeployment(this.#around, exchange, { candidates }, tried);
    if (picked === 'none') return this.#next('no_capable_deployment');
    if (!('id' in picked)) return this.#next('all_cooling_down');
    if (picked.budgets.some((rule) => rule.cap !== null && this.#around.ledger.balance(rule).spent >= rule.cap)) {
      tried.add(picked.id);
      if (candidates.every(({ id }) => tried.has(id))) return this.#next('deployments_over_budget');
      return this.#try(group, candidates, tried, failures);
    }
    this.#attempts += 1;
    const { health, clock, chance } = this.#around;
    const outputTokens = totalOutputTokens(request.usage);
    const trial = this.#behaviour.try(picked, clock.now(), outputTokens, chance);
    this.#evidence.push(trial.evidence);
    health.started(picked);
    const limitMs = picked.timeouts.attemptMs ?? snapshot.settings.timeouts.attemptMs ?? Number.POSITIVE_INFINITY;
    const isLate = trial.durationMs > limitMs;
    clock.setTimer(Math.min(trial.durationMs, limitMs), () => {
      const error = isLate ? 'upstream_timeout' : trial.error;
      if (error === null) {
        const inputTokens = totalInputTokens(request.usage);
        health.succeeded(picked, { totalMs: trial.durationMs, firstTokenMs: null, inputTokens, outputTokens });
        this.#over(picked, group, null);
      } else this.#failed(group, candidates, picked, tried, failures + 1, new GatewayError(error as ErrorCode, error));
    });
  }

  #failed(
    group: string,
    candidates: readonly Deployment[],
    deployment: Deployment,
    tried: Set<string>,
    failures: number,
    error: GatewayError,
  ): undefined {
    const { health, clock, chance } = this.#around;
    const { router } = this.#snapshot;
    health.failed(deployment, error, this.#snapshot, candidates.length);
    tried.add(deployment.id);
    const untriedLeft = candidates.some((one) => !tried.has(one.id) && !health.isCoolingDown(one));
    const fallbacksConfigured = this.#queue.some((name) => !this.#entered.has(name));
    const situation = { router, group, deployment, retriesAsked: null, untriedLeft, fallbacksConfigured };
    if (failures > retriesAllowed(error, { ...situation, ownFallbacksConfigured: false }))
      return this.#next(error.code);
    const waitMs = backoffMs(error, failures, router, untriedLeft || fallbacksConfigured, chance);
    clock.setTimer(waitMs, () => this.#try(group, candidates, untriedLeft ? tried : new Set(), failures));
  }

  #over(deployment: Deployment | null, group: string | null, error: string | null): undefined {
    const { at, usage } = this.#request;
    const price = deployment?.price ?? null;
    const listed = price === null ? 0 : costOf({ ...usage, providerCost: 0 }, priceAt(price, at));
    const cost = deployment === null ? 0 : chargeOf(listed, deployment.provider.id, this.#snapshot.settings).charged;
    if (deployment !== null) this.#charge(deployment, cost);
    this.#end({
      answered: error === null,
      error,
      provider: deployment?.provider.id ?? null,
      group,
      latencyMs: this.#around.clock.now() - at,
      cost,
      isUnpriced: deployment !== null && price === null,
      attempts: this.#attempts,
      overflowed: error === null && deployment !== null && this.#primary !== '' && group !== this.#primary,
      evidence: this.#evidence,
    });
  }
}

/** Exact name, then the name without its provider, then `*`. */
function lookUp(map: FallbackMap, name: string): readonly string[] | undefined {
  const slash = name.indexOf('/');
  return map.get(name) ?? (slash < 0 ? undefined : map.get(name.slice(slash + 1))) ?? map.get('*');
}
