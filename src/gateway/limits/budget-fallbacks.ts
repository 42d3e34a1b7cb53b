import { GatewayError } from '../../core/errors.ts';
import type { Admitted, Identified, Planned } from '../../core/exchange.ts';
import { admit } from '../admit.ts';
import type { Gateway } from '../gateway.ts';
import { plan } from '../plan.ts';

/**
 * Station 4 for a key that says which models to use in the place of one whose own budget (`model_max_budget`) is spent. The
 * first that is allowed and fits is used; the first refusal is told when none is.
 */
export function admitWithin(gateway: Gateway, identified: Identified, planned: Planned): Admitted | Promise<Admitted> {
  const { budgetFallbacks } = identified.principal;
  return budgetFallbacks ? admitOneOf(gateway, identified, planned, budgetFallbacks) : admit(gateway, planned);
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
