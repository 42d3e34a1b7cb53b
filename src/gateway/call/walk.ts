import { asGatewayError, GatewayError } from '../../core/errors.ts';
import type { Admitted, RouteGroup } from '../../core/exchange.ts';
import type { JsonObject } from '../../core/json.ts';
import type { NeutralResponse } from '../../core/neutral.ts';
import type { Timer } from '../../core/ports.ts';
import type { Deployment } from '../../core/route.ts';
import type { Gateway } from '../gateway.ts';
import { type Picked, pickDeployment, planGroup, type Resting } from '../plan.ts';
import { affinityOf } from '../routing/affinity.ts';
import { fallbacksFor, hasOwnFallbacks } from '../routing/fallback.ts';
import { parallelMaxOf } from '../routing/parallel-slots.ts';
import { backoffMs, retriesAllowed } from '../routing/retry.ts';
import { retryBudgetOf } from '../routing/retry-budget.ts';
import { lineOf, type Place } from '../routing/waiting-line.ts';
import { ContinuableStream } from '../streams/continuable-stream.ts';
import type { StreamedAnswer } from '../streams/streamed-answer.ts';
import type { UpstreamAttempt } from './attempt.ts';
import type { CallTally } from './call-tally.ts';
import { Dispatch } from './dispatch.ts';
import { mockedAnswer, mockedFailure } from './mock.ts';
import type { WholeAnswer } from './whole-answer.ts';

export type WalkEnd =
  | { readonly kind: 'whole'; readonly attempt: UpstreamAttempt; readonly answer: WholeAnswer }
  /** An answer in the neutral form: a mock, or one JSON body where a stream was asked for. */
  | { readonly kind: 'neutral'; readonly response: NeutralResponse }
  | { readonly kind: 'stream'; readonly stream: StreamedAnswer; readonly groupSize: number }
  | WalkFailure
  | { readonly kind: 'gone' };

export interface WalkFailure {
  readonly kind: 'failed';
  readonly error: GatewayError;
  /** Nothing else may be tried: time or money has run out. */
  readonly final?: boolean;
  /** Nothing was sent: the deployment's own budget, or its provider's, has no room. */
  readonly overBudget?: boolean;
}

/** How often one who waits looks for a deployment. */
const pollingMsDefault = 30;
/** Providers that are asked to go on with one answer. */
const continuationsMax = 3;

/** Walks a route: tries inside the group, then fallback groups, each with tries and fallbacks of its own. */
export class Walk {
  readonly #gateway: Gateway;
  readonly #exchange: Admitted;
  readonly #tally: CallTally;
  readonly #dispatch: Dispatch;
  readonly #deadline: number;
  readonly #entered = new Set<string>();

  constructor(gateway: Gateway, exchange: Admitted, tally: CallTally) {
    this.#gateway = gateway;
    this.#exchange = exchange;
    this.#tally = tally;
    this.#deadline = exchange.receivedTick + exchange.snapshot.settings.timeouts.totalMs;
    this.#dispatch = new Dispatch(gateway, exchange, tally, this.#deadline);
  }

  async run(): Promise<WalkEnd> {
    const { primary } = this.#exchange.route;
    retryBudgetOf(this.#gateway.clock).earn(this.#exchange.snapshot.router);
    this.#entered.add(primary.name);
    const drill = mockedFailure(this.#exchange);
    const end: WalkEnd = drill === null ? await this.#group(primary, null) : { kind: 'failed', error: drill };
    if (end.kind !== 'failed' || end.final) return end;
    const after = await this.#fallbacks(primary.name, end, 0);
    if (after.kind !== 'failed' || this.#tally.fallbacks === 0) return after;
    return { kind: 'failed', error: this.#explained(end.error, after.error) };
  }

  /** Nothing of this request goes on any more. */
  over(): void {
    this.#dispatch.tidy();
  }

  /** Is there anybody who could go on with a stream that broke after its first content? */
  canGoOn(broken: StreamedAnswer, error: GatewayError): boolean {
    const { relay } = broken;
    if (!(relay instanceof ContinuableStream) || relay.prefix() === null || !error.kind.retryable) return false;
    return this.#successors(broken, error).length > 0;
  }

  /** Who goes on with it: one after the other is asked, each once. Null when nobody does. */
  async goOn(broken: StreamedAnswer, error: GatewayError): Promise<StreamedAnswer | null> {
    this.#dispatch.brokeOff(error);
    const tried = new Set<string>();
    for (const group of this.#successors(broken, error)) {
      while (tried.size < continuationsMax) {
        const picked = pickDeployment(this.#gateway, this.#exchange, group, tried);
        if (picked === 'none' || !('id' in picked)) break;
        tried.add(picked.id);
        this.#tally.deployment = picked;
        this.#tally.group = group.name;
        const begun = broken.relay as ContinuableStream;
        let end: WalkEnd;
        try {
          end = await this.#dispatch.send(picked, group, this.#overrides(group.name), begun);
        } catch (cause) {
          end = this.#unsent(cause, picked);
        }
        if (end.kind === 'stream') return end.stream;
        if (end.kind !== 'failed' || end.final) return null;
      }
    }
    return null;
  }

  /** The group of a broken stream, then its fallbacks, with those deployments that can go on with a begun answer. */
  #successors(broken: StreamedAnswer, error: GatewayError): readonly RouteGroup[] {
    const { group, deployment } = broken.attempt.target;
    return [group, ...fallbacksFor(this.#exchange, group, error)].flatMap((name) => {
      const planned = this.#planned(name);
      const able =
        planned?.candidates.filter(
          ({ id, traits, mockResponse }) => traits.continuation && mockResponse === null && id !== deployment.id,
        ) ?? [];
      return planned === null || able.length === 0 ? [] : [{ ...planned, candidates: able }];
    });
  }

  async #fallbacks(group: string, failure: WalkFailure, depth: number): Promise<WalkEnd> {
    let last = failure;
    if (depth >= this.#exchange.snapshot.router.fallbacksMax) return last;
    for (const name of fallbacksFor(this.#exchange, group, failure.error)) {
      if (this.#entered.has(name)) continue;
      this.#entered.add(name);
      const planned = this.#planned(name);
      if (planned === null) continue;
      this.#tally.fallbacks += 1;
      this.#tally.retries = 0;
      let end = await this.#group(planned, this.#overrides(name));
      if (end.kind === 'failed' && !end.final) end = await this.#fallbacks(planned.name, end, depth + 1);
      if (end.kind !== 'failed' || end.final) return end;
      last = end;
    }
    return last;
  }

  /** Body fields that the caller gave this fallback of its own. */
  #overrides(group: string): JsonObject | null {
    const own = this.#exchange.options.fallbacks?.find(({ model }) => model === group);
    return own === undefined || Object.keys(own.overrides).length === 0 ? null : own.overrides;
  }

  /** null for a group that this caller cannot use. */
  #planned(group: string): RouteGroup | null {
    try {
      const planned = planGroup(this.#gateway, this.#exchange, group);
      const { isTrusted } = this.#exchange.route;
      return isTrusted === undefined ? planned : { ...planned, candidates: planned.candidates.filter(isTrusted) };
    } catch (cause) {
      if (cause instanceof GatewayError) return null;
      throw cause;
    }
  }

  async #group(group: RouteGroup, overrides: JsonObject | null): Promise<WalkEnd> {
    const { health, chance } = this.#gateway;
    const { router } = this.#exchange.snapshot;
    const held = router.groupAffinities?.get(group.name) ?? router.affinities;
    const affinity = held === undefined || held.length === 0 ? null : affinityOf(this.#exchange, held);
    // Made when there is something to remember: most requests need one try.
    let tried = noDeployments;
    let failures = 0;
    let overBudget = noDeployments;
    let last: WalkFailure | null = null;
    let refusal: WalkFailure | null = null;
    let tryAgain = false;
    for (;;) {
      const excluded = tryAgain ? overBudget : tried;
      let picked = this.#pick(group, excluded, affinity);
      if (picked !== 'none' && !('id' in picked)) {
        const waits = picked.isFull === true || (failures === 0 && this.#priority() !== null);
        if (waits) picked = await this.#waited(group, picked, excluded, affinity);
        if (this.#exchange.client.gone) {
          this.#dispatch.giveBackSlot();
          return { kind: 'gone' };
        }
      }
      if (picked === 'none' || !('id' in picked)) return last ?? refusal ?? unavailable(this.#gateway, group, picked);
      this.#tally.deployment = picked;
      this.#tally.group = group.name;
      let end: WalkEnd;
      try {
        const mocked = mockedAnswer(this.#exchange, picked);
        if (mocked !== null) return { kind: 'neutral', response: mocked };
        end = await this.#dispatch.send(picked, group, overrides);
      } catch (cause) {
        end = this.#unsent(cause, picked);
      } finally {
        this.#dispatch.giveBackSlot();
      }
      if (end.kind !== 'failed' || end.final) return end;
      if (end.overBudget) {
        refusal = end;
        overBudget = withOne(overBudget, picked.id);
        tried = withOne(tried, picked.id);
        continue;
      }
      last = end;
      failures += 1;
      tried = withOne(tried, picked.id);
      const untried = group.candidates.filter(({ id }) => !tried.has(id));
      const untriedLeft = untried.some((deployment) => !health.isCoolingDown(deployment));
      const fallbacksConfigured = fallbacksFor(this.#exchange, group.name, end.error).length > 0;
      const allowed = retriesAllowed(end.error, {
        router,
        group: group.name,
        deployment: picked,
        retriesAsked: this.#exchange.options.retries,
        untriedLeft,
        fallbacksConfigured,
        ownFallbacksConfigured: hasOwnFallbacks(this.#exchange, group.name, end.error),
      });
      if (failures > allowed) {
        // The next level of the operator's order gets its turn, with tries of its own.
        const left = end.error.kind.retryable ? this.#leaveLevel(picked, group, tried) : null;
        if (left === null) return last;
        tried = left;
        failures = 0;
        tryAgain = false;
        this.#tally.retries += 1;
        continue;
      }
      tryAgain = !untriedLeft;
      if (tryAgain && !retryBudgetOf(this.#gateway.clock).spend(router)) return last;
      const othersLeft = untriedLeft || fallbacksConfigured;
      const waitMs = backoffMs(end.error, failures, router, othersLeft, chance);
      if (waitMs > 0 && this.#gateway.clock.tick() + waitMs >= this.#deadline) return last;
      if (waitMs > 0 && (await this.#pause(waitMs)) === 'gone') return { kind: 'gone' };
      this.#tally.retries += 1;
    }
  }

  /** Nothing was sent: the request could not be put into the provider's words, or the books are closed. */
  #unsent(cause: unknown, deployment: Deployment): WalkFailure {
    const error = inWordsOf(this.#exchange, asGatewayError(cause), deployment);
    if (error.code === 'internal') this.#gateway.log.error('attempt failed inside the gateway', { cause });
    return { kind: 'failed', error, final: error.code === 'budget_store_unavailable' };
  }

  /** The next deployment; where it answers so many at once, one of its slots is taken in the same step. */
  #pick(group: RouteGroup, excluded: ReadonlySet<string>, affinity: string | null): Picked {
    const picked = pickDeployment(this.#gateway, this.#exchange, group, excluded, affinity, 'wait');
    if (picked !== 'none' && 'id' in picked && parallelMaxOf(picked, this.#exchange.snapshot) !== null) {
      this.#dispatch.takeSlot(picked);
    }
    return picked;
  }

  #priority(): number | null {
    const { options, snapshot } = this.#exchange;
    return options.priority ?? snapshot.router.defaultPriority ?? null;
  }

  /**
   * Waits, in its order, until a deployment is back or has a slot free, or its time is over. For one that is full everybody
   * waits; for one that rests, requests with a priority.
   */
  async #waited(
    group: RouteGroup,
    resting: Resting,
    excluded: ReadonlySet<string>,
    affinity: string | null,
  ): Promise<Picked> {
    const { options, snapshot, receivedTick } = this.#exchange;
    const { pollingMs = pollingMsDefault } = snapshot.router;
    const priority = this.#priority();
    const patienceMs = options.timeoutMs ?? snapshot.settings.timeouts.firstByteMs;
    const until = Math.min(this.#deadline, receivedTick + patienceMs);
    const line = lineOf(this.#gateway, group.name);
    const place = line.join(priority ?? 0);
    let found: Picked = resting;
    try {
      for (;;) {
        const leftMs = until - this.#gateway.clock.tick();
        // Those behind are woken when it is their turn.
        const restMs = line.isFirst(place) ? Math.min(leftMs, pollingMs) : leftMs;
        if (leftMs <= 0 || (await this.#pause(restMs, place)) === 'gone') return found;
        if (!line.isFirst(place)) continue;
        found = this.#pick(group, excluded, affinity);
        if (found === 'none' || 'id' in found || (priority === null && !found.isFull)) return found;
      }
    } finally {
      line.leave(place);
    }
  }

  /** What was tried, and every deployment up to this one's order; null when no later level is left. */
  #leaveLevel({ order }: Deployment, group: RouteGroup, tried: ReadonlySet<string>): ReadonlySet<string> | null {
    if (order === null) return null;
    const passed = group.candidates.filter((candidate) => candidate.order !== null && candidate.order <= order);
    const left = tried.union(new Set(passed.map(({ id }) => id)));
    return group.candidates.every(({ id }) => left.has(id)) ? null : left;
  }

  /** Waits, unless the client leaves first, or whoever stands in a line is woken. */
  #pause(delayMs: number, place: Place | null = null): Promise<'passed' | 'gone'> {
    const { promise, resolve } = Promise.withResolvers<'passed' | 'gone'>();
    const { client } = this.#exchange;
    const end = (how: 'passed' | 'gone') => {
      if (place !== null) place.wake = null;
      timer.cancel();
      client.onGone(null);
      resolve(how);
    };
    const timer: Timer = this.#gateway.clock.setTimer(delayMs, () => end('passed'));
    if (place !== null) place.wake = () => end('passed');
    client.onGone(() => end('gone'));
    return promise;
  }

  /** The last failure, with what led there. */
  #explained(first: GatewayError, last: GatewayError): GatewayError {
    const { name } = this.#exchange.route.primary;
    const list = fallbacksFor(this.#exchange, name, first).map((group) => `'${group}'`);
    const message =
      `${last.message} Received Model Group=${name} Available Model Group Fallbacks=[${list.join(', ')}] ` +
      `Error doing the fallback: ${name} had failed first with: ${first.message}`;
    return new GatewayError(last.code, message, last.details);
  }
}

const noDeployments: ReadonlySet<string> = new Set();

function withOne(set: ReadonlySet<string>, id: string): ReadonlySet<string> {
  return new Set(set).add(id);
}

/** Who it is that cannot, and where the caller said it: the provider's format knows neither for whom nor to whom it speaks. */
function inWordsOf({ dialect }: Admitted, error: GatewayError, { provider }: Deployment): GatewayError {
  if (error.code !== 'unsupported_parameter' && error.code !== 'malformed_request') return error;
  const place = dialect.conversationField ?? 'messages';
  const message = error.message
    .replace(': the model does', `: the model at ${provider.name} does`)
    .replace('This model takes', `The model at ${provider.name} takes`)
    .replace(/^messages:/, `${place}:`);
  const { param } = error.details;
  return new GatewayError(error.code, message, { ...error.details, ...(param === 'messages' ? { param: place } : {}) });
}

function unavailable(
  gateway: Gateway,
  group: RouteGroup,
  picked: 'none' | { readonly coolingDownUntil: number },
): WalkFailure {
  if (picked === 'none') {
    const message = `There are no healthy deployments for this model. Passed model=${group.name}.`;
    return { kind: 'failed', error: new GatewayError('no_capable_deployment', message) };
  }
  const seconds = Math.max(1, Math.ceil((picked.coolingDownUntil - gateway.clock.now()) / 1_000));
  const message = `No deployments available for selected model, Try again in ${seconds} seconds. Passed model=${group.name}.`;
  return { kind: 'failed', error: new GatewayError('all_cooling_down', message, { retryAfterSeconds: seconds }) };
}
