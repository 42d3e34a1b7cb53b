import { normaliseDuration } from '../../core/duration.ts';
import type { Scope } from '../../core/identity.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { isJsonObject } from '../../core/json.ts';
import type { BudgetRule, RateLimitMetric, RateLimitRule } from '../../core/limits.ts';
import type { Nanodollars } from '../../core/money.ts';
import { nanodollarsFromDollars } from '../../core/money.ts';
import type { BudgetRecord, LimitColumns } from '../../core/store.ts';

/* Limits as an operator stored them, compiled into the rules that a request walks. */

export type OwnLimits = Partial<Omit<LimitColumns, 'budgetId'>>;

/** Whose limits they are. */
export interface Subject {
  readonly scope: Scope;
  readonly id: string;
  /** Name in refusals; never a secret. */
  readonly label: string;
  readonly timezone: string;
  /** Which tokens count against limits of tokens. */
  readonly tokensLimited: RateLimitRule['tokens'];
}

/** The figures of a shared budget apply where the own ones are not set. */
export function withShared(own: OwnLimits, shared: BudgetRecord | undefined): OwnLimits {
  if (shared === undefined) return own;
  return {
    maxBudget: own.maxBudget ?? shared.maxBudget,
    softBudget: own.softBudget ?? shared.softBudget,
    budgetDuration: own.budgetDuration ?? shared.budgetDuration,
    rpmLimit: own.rpmLimit ?? shared.rpmLimit,
    tpmLimit: own.tpmLimit ?? shared.tpmLimit,
    maxParallelRequests: own.maxParallelRequests ?? shared.maxParallelRequests,
    modelLimits: { ...shared.modelLimits, ...own.modelLimits },
  };
}

export interface BudgetOptions {
  /** `budget_limits` as written: more windows at once. */
  readonly windows?: Json | undefined;
  readonly increase?: BudgetRule['increase'];
}

/**
 * The budgets of one subject. The first always stands, without a cap if need be, so that its spend is known; the others
 * are further windows and budgets of single models.
 */
export function budgetRules(
  { tokensLimited: _, ...subject }: Subject,
  limits: OwnLimits,
  options: BudgetOptions = {},
): BudgetRule[] {
  const increase = options.increase ?? null;
  const rules: BudgetRule[] = [
    {
      ...subject,
      model: null,
      cap: limits.maxBudget ?? null,
      softCap: limits.softBudget ?? null,
      duration: storedDuration(limits.budgetDuration),
      increase,
    },
  ];
  const add = (model: string | null, cap: Nanodollars | null, duration: string | null) => {
    if (cap === null) return;
    // Two budgets over one window count in one account, where the smaller one decides.
    const same = rules.findIndex((rule) => rule.model === model && rule.duration === duration);
    const rule = rules[same];
    if (rule !== undefined) rules[same] = { ...rule, cap: rule.cap === null ? cap : Math.min(rule.cap, cap) };
    else rules.push({ ...subject, model, cap, softCap: null, duration, increase: model === null ? increase : null });
  };
  for (const window of jsonObjects(options.windows)) {
    add(null, storedDollars(window.max_budget ?? window.budget_limit), storedDuration(durationIn(window)));
  }
  for (const [model, written] of Object.entries(limits.modelLimits ?? {})) {
    if (isJsonObject(written)) {
      add(model, storedDollars(written.max_budget ?? written.budget_limit), storedDuration(durationIn(written)));
    } else {
      add(model, storedDollars(written), null);
    }
  }
  return rules.map((rule) => Object.freeze(rule));
}

/** The rate limits of one subject. `perModel` are maps `model_rpm_limit` and `model_tpm_limit`, the first that names a model decides. */
export function rateLimitRules(
  subject: Omit<Subject, 'timezone'>,
  limits: OwnLimits,
  perModel: readonly (JsonObject | undefined)[] = [],
): RateLimitRule[] {
  const { scope, id, label, tokensLimited } = subject;
  const rules: RateLimitRule[] = [];
  const add = (model: string | null, metric: RateLimitMetric, written: Json | undefined) => {
    if (typeof written !== 'number' || !Number.isFinite(written)) return;
    const limit = Math.max(0, Math.floor(written));
    if (rules.some((rule) => rule.model === model && rule.metric === metric)) return;
    rules.push(Object.freeze({ scope, id, label, model, metric, limit, tokens: tokensLimited }));
  };
  add(null, 'requests', limits.rpmLimit);
  add(null, 'tokens', limits.tpmLimit);
  add(null, 'parallel', limits.maxParallelRequests);
  for (const source of perModel) {
    for (const [model, limit] of entriesOf(source?.model_rpm_limit)) add(model, 'requests', limit);
    for (const [model, limit] of entriesOf(source?.model_tpm_limit)) add(model, 'tokens', limit);
  }
  for (const [model, written] of entriesOf(limits.modelLimits)) {
    if (!isJsonObject(written)) continue;
    add(model, 'requests', written.rpm_limit);
    add(model, 'tokens', written.tpm_limit);
  }
  return rules;
}

export function textsIn(written: Json | undefined): string[] {
  return Array.isArray(written) ? written.filter((entry) => typeof entry === 'string') : [];
}

function jsonObjects(written: Json | undefined): JsonObject[] {
  return Array.isArray(written) ? written.filter(isJsonObject) : [];
}

function entriesOf(written: Json | undefined): [string, Json | undefined][] {
  return isJsonObject(written) ? Object.entries(written) : [];
}

function durationIn(written: JsonObject): string | null {
  const duration = written.budget_duration ?? written.time_period;
  return typeof duration === 'string' ? duration : null;
}

/** A window that nobody can read (an imported row) never resets: too strict is repaired easily, too lax is not. */
function storedDuration(written: string | null | undefined): string | null {
  try {
    return normaliseDuration(written);
  } catch {
    return null;
  }
}

/** An amount that nobody can read allows nothing. */
function storedDollars(written: Json | undefined): Nanodollars | null {
  if (written === null || written === undefined) return null;
  if (typeof written !== 'number' && typeof written !== 'string') return 0;
  try {
    return nanodollarsFromDollars(written);
  } catch {
    return 0;
  }
}
