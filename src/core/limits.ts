import type { Scope } from './identity.ts';
import type { Nanodollars } from './money.ts';

/**
 * One budget on a request's chain. The account it counts in is (scope, id, model, window, window start): the start of
 * the window is part of the identity, so there is no reset job.
 */
export interface BudgetRule {
  readonly scope: Scope;
  readonly id: string;
  /** Set when the budget covers one model (group or pattern) inside the scope. */
  readonly model: string | null;
  /** `null` counts without refusing (spend of something without a cap). */
  readonly cap: Nanodollars | null;
  /** Alert when crossed, never refuse. */
  readonly softCap: Nanodollars | null;
  /** `30d`, `1mo`, …, normalised; `null` never resets. */
  readonly duration: string | null;
  /** IANA zone in which calendar windows start. */
  readonly timezone: string;
  /** Temporary increase of the cap and when it ends (unix milliseconds). */
  readonly increase: { readonly amount: Nanodollars; readonly until: number } | null;
  /** Name shown in the refusal (key alias, team id, …), never a secret. */
  readonly label: string;
}

export type RateLimitMetric = 'requests' | 'tokens' | 'parallel';

/** One rate limit on a request's chain: per minute for requests and tokens, at once for parallel. */
export interface RateLimitRule {
  readonly scope: Scope;
  readonly id: string;
  readonly model: string | null;
  readonly metric: RateLimitMetric;
  readonly limit: number;
  /** Which tokens count: `total`, `input` or `output`. */
  readonly tokens: 'total' | 'input' | 'output';
  readonly label: string;
}

const limitNames = new WeakMap<RateLimitRule, string>();

/** What the limit is counted under, whatever its height: the same limit may come as another object when its key is read again. */
export function limitName(rule: RateLimitRule): string {
  let name = limitNames.get(rule);
  if (name === undefined) {
    const { scope, id, model, metric, tokens } = rule;
    name = JSON.stringify([scope, id, model, metric, tokens]);
    limitNames.set(rule, name);
  }
  return name;
}

/** Whether a name is that of a limit of parallel requests. */
export function isParallel(name: string): boolean {
  return /,"parallel","(total|input|output)"\]$/.test(name);
}

/** A rate limit with the amount this request may use at most. */
export interface RateLimitClaim {
  readonly rule: RateLimitRule;
  readonly amount: number;
}

/** What stands in the way, in figures; the admit station turns it into the caller's 429. */
export interface RateLimitDenial {
  readonly rule: RateLimitRule;
  readonly used: number;
  /** Unix milliseconds when enough will be free again, as far as is known. */
  readonly resetAt: number;
}

export interface BudgetDenial {
  readonly rule: BudgetRule;
  readonly cap: Nanodollars;
  readonly spent: Nanodollars;
  readonly held: Nanodollars;
  readonly bound: Nanodollars;
  /** Unix milliseconds of the end of the window; null = never. */
  readonly resetAt: number | null;
}
