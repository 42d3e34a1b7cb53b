import { asGatewayError } from '../../core/errors.ts';
import type { BudgetRule } from '../../core/limits.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import { principalById } from '../authenticate.ts';
import type { Gateway } from '../gateway.ts';
import { counting, ofModel } from '../limits/limits.ts';

/** Puts on record, and on the accounts of its key as far as there is one, what was bought and cannot be planned any more. */
export async function chargeHolder(gateway: Gateway, keyId: string, model: string, row: RequestRecord): Promise<void> {
  const reservation = await gateway.ledger.reserve(row.id, await rulesLeft(gateway, keyId, model), row.cost);
  if ('rule' in reservation) gateway.ledger.record(row);
  else gateway.ledger.settle(reservation, row);
}

/** Everything that still counts what its key spends, without caps: it is spent already. */
async function rulesLeft(gateway: Gateway, keyId: string, model: string): Promise<readonly BudgetRule[]> {
  const { globalBudget } = gateway.snapshot().settings;
  const rules = globalBudget === null ? [] : [counting(globalBudget)];
  try {
    const { budgets } = await principalById(gateway.principals, keyId);
    return [...ofModel(budgets, model).map(counting), ...rules];
  } catch (cause) {
    // A store that is away comes back.
    if (asGatewayError(cause).status >= 500) throw cause;
    return rules;
  }
}
