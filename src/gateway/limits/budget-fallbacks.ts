import { GatewayError } from '../../core/errors.ts';
import type { Admitted, Identified, Planned } from '../../core/exchange.ts';
import type { RateLimitRule } from '../../core/limits.ts';
import { admit } from '../admit.ts';
import type { Gateway } from '../gateway.ts';
import { plan } from '../plan.ts';
import { counting } from './limits.ts';

/**
 * Station 4 for a key that says which models to use in the place of one whose own budget (`model_max_budget`) is spent. The
 * first that is allowed and fits is used; the first refusal is told when none is.
 */
export function admitWithin(gateway: Gateway, identified: Identified, planned: Planned): Admitted | Promise<Admitted> {
  const { budgetFallbacks, throttledOverBudget } = identified.principal;
  if (throttledOverBudget) return admitSlowed(gateway, identified, planned);
  return budgetFallbacks ? admitOneOf(gateway, identified, planned, budgetFallbacks) : admit(gateway, planned);
}

/** A key that goes on beyond its own budget at a share of its rates; all other budgets hold as ever. */
async function admitSlowed(gateway: Gateway, identified: Identified, planned: Planned): Promise<Admitted> {
  const { budgetFallbacks } = identified.principal;
  const share = identified.snapshot.settings.throttledShare ?? null;
  try {
    return await (budgetFallbacks
      ? admitOneOf(gateway, identified, planned, budgetFallbacks)
      : admit(gateway, planned));
  } catch (refusal) {
    const isOwn = refusal instanceof GatewayError && refusal.details.ofKeyBudget === true;
    if (!isOwn || share === null || share === 0) throw refusal;
    return await admit(gateway, planned, ({ budgets, rates }) => ({
      budgets: budgets.map((rule) => (rule.scope === 'key' && rule.model === null ? counting(rule) : rule)),
      rates: rates.map((rule) => (rule.scope === 'key' ? slowed(rule, share) : rule)),
    }));
  }
}

/** What is left of a rate; at least one, so that the key is slow and not dead. */
function slowed(rule: RateLimitRule, share: number): RateLimitRule {
  if (rule.metric === 'parallel') return rule;
  return { ...rule, limit: Math.min(rule.limit, Math.max(1, Math.floor(rule.limit * share))) };
}

async function admitOneOf(
  gateway: Gateway,
  identified: Identified,
  planned: Planned,
  budgetFallbacks: NonNullable<Identified['principal']['budgetFallbacks']>,
): Promise<Admitted> {
  const { model } = planned;
  try {
    return await admit(gateway, planned);
  } catch (refusal) {
    if (!isModelBudget(refusal)) throw refusal;
    const instead = Object.hasOwn(budgetFallbacks, model) ? budgetFallbacks[model]! : [];
    for (const other of instead) {
      try {
        return await admit(gateway, plan(gateway, identified, other));
      } catch (cause) {
        if (!(cause instanceof GatewayError) || cause.code === 'internal') throw cause;
      }
    }
    throw refusal;
  }
}

function isModelBudget(cause: unknown): boolean {
  return cause instanceof GatewayError && cause.details.ofModelBudget === true;
}
