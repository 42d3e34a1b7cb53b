import { andThen } from '../core/and-then.ts';
import { type Admitted, asAdmitted, type Planned } from '../core/exchange.ts';
import type { BudgetDenial, BudgetRule, RateLimitDenial } from '../core/limits.ts';
import type { Nanodollars } from '../core/money.ts';
import type { BudgetReservation, RateLimitReservation } from '../core/ports.ts';
import { cacheUse, lookUp } from './cache/answer-cache.ts';
import type { Gateway } from './gateway.ts';
import { budgetExceeded, unpriceable } from './limits/budget-refusal.ts';
import { boundOf, largestFitting } from './limits/estimate.ts';
import { claimsOf, counting, type Limits, limitsOf } from './limits/limits.ts';
import { rateLimited } from './limits/rate-refusal.ts';
import { withoutSuspended } from './limits/suspended.ts';

/**
 * Station 4: every limit on the chain, all or none. Rate limits first, for they are free to undo; then the response cache
 * is asked, for what it knows costs nothing and needs no room in any budget; else the upper bound of the cost is held on
 * every account. Refused → 429 that names the limit, the figures and the reset.
 */
export function admit(
  gateway: Gateway,
  asked: Planned,
  changed: ((limits: Limits) => Limits) | null = null,
): Admitted | Promise<Admitted> {
  if (asked.funds?.isSpent) return admitSpent(gateway, asked);
  return andThen(limitsOf(gateway, asked), (limits) => {
    const { budgets, rates } = changed === null ? limits : changed(limits);
    const planned = gateway.suspended.size === 0 ? asked : withoutSuspended(gateway, asked, budgets);
    return andThen(claimRates(gateway, planned, claimsOf(planned, rates)), (rateReservation) =>
      admitAt(gateway, planned, budgets, rateReservation),
    );
  });
}

/** What was claimed of the rates is given back where there is no money. */
function admitAt(
  gateway: Gateway,
  planned: Planned,
  budgets: readonly BudgetRule[],
  rateReservation: RateLimitReservation | null,
): Admitted | Promise<Admitted> {
  const giveBack = (cause: unknown): never => {
    if (rateReservation !== null) gateway.limiter.release(planned.id, rateReservation);
    throw cause;
  };
  try {
    const use = cacheUse(planned);
    const admitted = andThen(use === null ? null : lookUp(gateway, planned, use), (cache) =>
      andThen(cache?.hit ? nothingHeld : holdMoney(gateway, planned, budgets), (hold) => {
        const { reservation, bound, clampedOutputTokens } = hold;
        const admittedTick = gateway.clock.tick();
        return asAdmitted(planned, { reservation, bound, clampedOutputTokens, cache, rateReservation, admittedTick });
      }),
    );
    return admitted instanceof Promise ? admitted.catch(giveBack) : admitted;
  } catch (cause) {
    return giveBack(cause);
  }
}

/** Room for more than was held at first, up to `bound` altogether; false where there is none. */
export async function admitMore(gateway: Gateway, admitted: Admitted, bound: Nanodollars): Promise<boolean> {
  const { reservation, rateReservation, cache, clampedOutputTokens, admittedTick } = admitted;
  if (reservation === null || bound <= admitted.bound) return true;
  if (!(await gateway.ledger.extend(reservation, bound - admitted.bound))) return false;
  asAdmitted(admitted, { reservation, rateReservation, cache, bound, clampedOutputTokens, admittedTick });
  return true;
}

/** What was bought already takes its place on every account, at the worst beyond a cap: nobody can refuse it any more. */
async function admitSpent(gateway: Gateway, planned: Planned): Promise<Admitted> {
  const { budgets } = await limitsOf(gateway, planned);
  const bound = boundOf(planned, null);
  const rules = bound.free ? noRules : budgets;
  const first = await reserve(gateway, planned, rules, bound.amount);
  const held = isDenial(first) ? await gateway.ledger.reserve(planned.id, rules.map(counting), bound.amount) : first;
  if (isDenial(held)) throw budgetExceeded(held, planned, gateway.clock.now());
  const hold = { reservation: held, bound: bound.amount, clampedOutputTokens: null };
  return asAdmitted(planned, { ...hold, cache: null, rateReservation: null, admittedTick: gateway.clock.tick() });
}

type Hold = Pick<Admitted, 'reservation' | 'bound' | 'clampedOutputTokens'>;

const noRules: readonly BudgetRule[] = [];
const nothingHeld: Hold = Object.freeze({ reservation: null, bound: 0, clampedOutputTokens: null });

function holdMoney(gateway: Gateway, planned: Planned, budgets: readonly BudgetRule[]): Hold | Promise<Hold> {
  const bound = boundOf(planned, null);
  const hard = budgets.find(({ cap }) => cap !== null);
  if (hard !== undefined && (bound.unpriced !== null || bound.unbounded !== null)) {
    throw unpriceable(bound.unpriced, bound.unbounded, hard);
  }
  if (bound.unpriced !== null) warnUnpriced(gateway, bound.unpriced.id, bound.unpriced.group);
  return holdBound(gateway, planned, bound.free ? noRules : budgets, bound.amount);
}

function claimRates(
  gateway: Gateway,
  planned: Planned,
  claims: ReturnType<typeof claimsOf>,
): RateLimitReservation | null | Promise<RateLimitReservation> {
  if (claims.length === 0) return null;
  return andThen(gateway.limiter.reserve(planned.id, claims), (answer) => granted(gateway, answer));
}

function granted({ clock }: Gateway, answer: RateLimitReservation | RateLimitDenial): RateLimitReservation {
  if ('rule' in answer) throw rateLimited(answer, clock.now());
  return answer;
}

/** Tries of a lower maximum: another account may be the one in the way each time. */
const clampTries = 4;

function holdBound(
  gateway: Gateway,
  planned: Planned,
  rules: readonly BudgetRule[],
  amount: Nanodollars,
): Hold | Promise<Hold> {
  return andThen(reserve(gateway, planned, rules, amount), (first) =>
    isDenial(first)
      ? holdLess(gateway, planned, rules, first)
      : { reservation: first, bound: amount, clampedOutputTokens: null },
  );
}

/** A lower maximum of output tokens, where the operator says that the gateway may choose one. */
async function holdLess(
  gateway: Gateway,
  planned: Planned,
  rules: readonly BudgetRule[],
  first: BudgetDenial,
): Promise<Hold> {
  let denial = first;
  if (planned.snapshot.settings.clampOutputTokens) {
    let room = roomIn(denial);
    for (let tries = 0; tries < clampTries; tries++) {
      const fitting = largestFitting(planned, room);
      if (fitting === null) break;
      const next = await reserve(gateway, planned, rules, fitting.amount);
      if (!isDenial(next)) {
        return { reservation: next, bound: fitting.amount, clampedOutputTokens: fitting.outputTokens };
      }
      denial = next;
      room = Math.min(room - 1, roomIn(denial));
    }
  }
  throw budgetExceeded({ ...denial, bound: first.bound }, planned, gateway.clock.now());
}

function roomIn({ cap, spent, held }: BudgetDenial): Nanodollars {
  return cap - spent - held;
}

function reserve(
  { ledger }: Gateway,
  { id, funds }: Planned,
  rules: readonly BudgetRule[],
  amount: Nanodollars,
): BudgetReservation | BudgetDenial | Promise<BudgetReservation | BudgetDenial> {
  // What was set aside for it makes room for it, with nobody in between.
  funds?.release();
  return ledger.reserve(id, rules, amount);
}

function isDenial(answer: BudgetReservation | BudgetDenial): answer is BudgetDenial {
  return 'rule' in answer;
}

const warned = new WeakMap<Gateway, Set<string>>();

/** Once for each deployment: without a price its requests count as free. */
function warnUnpriced(gateway: Gateway, deploymentId: string, group: string): void {
  let ids = warned.get(gateway);
  if (ids === undefined) {
    ids = new Set();
    warned.set(gateway, ids);
  }
  if (ids.has(deploymentId)) return;
  ids.add(deploymentId);
  gateway.log.warn('model has no price: its requests are recorded at cost 0', { model: group, deploymentId });
}
