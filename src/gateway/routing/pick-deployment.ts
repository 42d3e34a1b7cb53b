import type { Identified, RouteGroup } from '../../core/exchange.ts';
import type { CheckedRouting, Deployment, RouterSettings, Snapshot, StrategyChoice } from '../../core/route.ts';
import type { DeploymentState, Gateway } from '../gateway.ts';
import { heldTogether } from './affinity.ts';
import { traitsOf } from './list-traits.ts';
import { parallelMaxOf, slotsTaken } from './parallel-slots.ts';
import { strategies } from './strategies/index.ts';

/**
 * `none`: everything in the group was tried. Otherwise when the first of those that rest is back (unix milliseconds), or all
 * of them answer as many requests as they may at once.
 */
export type Picked = Deployment | 'none' | Resting;
export interface Resting {
  readonly coolingDownUntil: number;
  readonly isFull?: true;
}

/** When who could not wait any longer may come again. */
const fullMs = 1_000;

/** What the choice looks at, beside the request. */
export type Surroundings = Pick<Gateway, 'health' | 'clock' | 'chance'> & { readonly ledger: Balances };
type Balances = Pick<Gateway['ledger'], 'balance'>;

/**
 * The deployment for the next attempt: not tried before, not cooling down, of the lowest `order` present, within its
 * rates where the strategy respects them, and then the strategy's choice.
 */
export function pickDeployment(
  gateway: Surroundings,
  exchange: Pick<Identified, 'snapshot' | 'facts' | 'bytes'>,
  routeGroup: Pick<RouteGroup, 'candidates'> & { readonly name?: string },
  excluded: ReadonlySet<string>,
  affinity: string | null = null,
  whenFull: 'any' | 'wait' = 'any',
): Picked {
  const { health } = gateway;
  const { router } = exchange.snapshot;
  let candidates = routeGroup.candidates;
  if (excluded.size > 0) candidates = candidates.filter(({ id }) => !excluded.has(id));
  if (candidates.length === 0) return 'none';
  const chosen = choiceFor(router, routeGroup.name);
  const strategy = strategies[chosen.strategy];
  const rests = health.someRest() && candidates.some((candidate) => health.isCoolingDown(candidate));
  const awake = rests ? candidates.filter((candidate) => !health.isCoolingDown(candidate)) : candidates;
  if (awake.length === 0) return { coolingDownUntil: firstBack(gateway, candidates) };
  candidates = withBudgetLeft(gateway, awake);
  if (router.checkedRouting) candidates = wellChecked(gateway, candidates, router.checkedRouting);
  candidates = ofLowestOrder(candidates);
  if (strategy.respectsRates || router.preCallChecks || router.enforcesRates) {
    const within = candidates.filter((candidate) => withinRates(candidate, health.state(candidate), exchange));
    if (within.length === 0) return { coolingDownUntil: nextMinute(gateway.clock.now()) };
    candidates = within;
  }
  const free = withFreeSlot(gateway, candidates, exchange.snapshot);
  if (free.length > 0) candidates = free;
  else if (whenFull === 'wait') return { coolingDownUntil: gateway.clock.now() + fullMs, isFull: true };
  if (candidates.length === 1) return candidates[0]!;
  if (affinity !== null) return heldTogether(candidates, affinity);
  return strategy.pick({
    candidates,
    health,
    chance: gateway.chance,
    stream: exchange.facts.stream,
    latencyBuffer: chosen.latencyBuffer,
  });
}

function choiceFor(router: RouterSettings, group: string | undefined): StrategyChoice {
  const own = router.groupStrategies;
  return own === undefined || own.size === 0 || group === undefined ? router : (own.get(group) ?? router);
}

/** Leaves out deployments whose last check failed; all of them when none would be left, for a check is no proof. */
function wellChecked(
  { health, clock }: Surroundings,
  candidates: readonly Deployment[],
  { freshMs, ignoresTransient }: CheckedRouting,
): readonly Deployment[] {
  const since = clock.now() - freshMs;
  const well = candidates.filter((candidate) => {
    const { lastCheck } = health.state(candidate);
    if (lastCheck === null || lastCheck.healthy || lastCheck.at < since) return true;
    return ignoresTransient && (lastCheck.status === 408 || lastCheck.status === 429);
  });
  return well.length > 0 ? well : candidates;
}

/**
 * Leaves out deployments whose own or provider's budget is used up, as far as this process knows; all of them when none
 * would be left, for the ledger has the last word.
 */
function withBudgetLeft(
  { ledger }: Pick<Surroundings, 'ledger'>,
  candidates: readonly Deployment[],
): readonly Deployment[] {
  if (!traitsOf(candidates).someHaveBudgets) return candidates;
  const left = candidates.filter(({ budgets }) =>
    budgets.every((rule) => {
      const { spent, held } = ledger.balance(rule);
      return rule.cap === null || spent + held < rule.cap;
    }),
  );
  return left.length > 0 ? left : candidates;
}

function firstBack({ health, clock }: Surroundings, candidates: readonly Deployment[]): number {
  let first = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) first = Math.min(first, health.state(candidate).coolingDownUntil ?? clock.now());
  return first;
}

function nextMinute(now: number): number {
  return (Math.floor(now / 60_000) + 1) * 60_000;
}

/** Deployments without an order come last. */
function ofLowestOrder(candidates: readonly Deployment[]): readonly Deployment[] {
  if (traitsOf(candidates).haveOneOrder) return candidates;
  const lowest = Math.min(...candidates.map(({ order }) => order ?? Number.POSITIVE_INFINITY));
  return candidates.filter(({ order }) => (order ?? Number.POSITIVE_INFINITY) === lowest);
}

function withinRates(
  { rpm, tpm, itpm, otpm }: Deployment,
  { requestsThisMinute, tokensThisMinute, outputTokensThisMinute }: DeploymentState,
  { bytes, facts }: Pick<Identified, 'bytes' | 'facts'>,
): boolean {
  if (rpm !== null && requestsThisMinute + 1 > rpm) return false;
  const inputTokens = Math.ceil(bytes.length / 4);
  if (tpm !== null && tokensThisMinute + inputTokens > tpm) return false;
  if (itpm !== null && tokensThisMinute - outputTokensThisMinute + inputTokens > itpm) return false;
  // Who asks for more than a minute's worth has a minute of its own.
  return otpm === null || outputTokensThisMinute + Math.max(1, Math.min(facts.maxOutputTokens ?? 1, otpm)) <= otpm;
}

/** Deployments below their `max_parallel_requests`. */
function withFreeSlot(
  gateway: Surroundings,
  candidates: readonly Deployment[],
  snapshot: Snapshot,
): readonly Deployment[] {
  if (snapshot.router.parallelMaxDefault === null) {
    const isSole = candidates.length === 1;
    if (isSole ? candidates[0]!.parallelMax === null : !traitsOf(candidates).someHaveParallelMax) return candidates;
  }
  return candidates.filter((candidate) => {
    const max = parallelMaxOf(candidate, snapshot);
    if (max === null) return true;
    // Sessions and batches take no slots.
    return Math.max(slotsTaken(gateway, candidate), gateway.health.state(candidate).inFlight) < max;
  });
}
