import type { Clock } from '../../core/ports.ts';
import type { RouterSettings } from '../../core/route.ts';

const burstSeconds = 10;
const savedMax = 100;

/**
 * Keeps retries from multiplying an outage: repeated tries at a deployment may add only a share of the requests, after
 * a small steady allowance is used up. Moving on to a deployment or group that this request has not tried yet is
 * failover, not a storm, and is never limited here (cooldowns take care of dead deployments).
 */
export class RetryBudget {
  readonly #clock: Clock;
  #saved = 0;
  #allowance = Number.POSITIVE_INFINITY;
  #refilledAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A request came in: part of a retry is earned. */
  earn(router: RouterSettings): void {
    this.#saved = Math.min(savedMax, this.#saved + router.retryBudgetRatio);
  }

  /** Takes one retry out of the budget; false when there is none left. */
  spend(router: RouterSettings): boolean {
    const now = this.#clock.tick();
    const allowanceMax = router.retryBudgetMinPerSecond * burstSeconds;
    const refill = ((now - this.#refilledAt) / 1_000) * router.retryBudgetMinPerSecond;
    this.#allowance = Math.min(allowanceMax, this.#allowance + refill);
    this.#refilledAt = now;
    if (this.#allowance >= 1) {
      this.#allowance -= 1;
      return true;
    }
    if (this.#saved >= 1) {
      this.#saved -= 1;
      return true;
    }
    return false;
  }
}

const budgets = new WeakMap<Clock, RetryBudget>();

/** The one budget of a process, which is to say of its clock. */
export function retryBudgetOf(clock: Clock): RetryBudget {
  let budget = budgets.get(clock);
  if (budget === undefined) {
    budget = new RetryBudget(clock);
    budgets.set(clock, budget);
  }
  return budget;
}
