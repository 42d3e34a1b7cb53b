import { GatewayError } from '../../core/errors.ts';
import type { Planned } from '../../core/exchange.ts';
import type { BudgetDenial, BudgetRule } from '../../core/limits.ts';
import { formatDollars } from '../../core/money.ts';
import type { Deployment } from '../../core/route.ts';

/** The caller's answer when a bound does not fit: whose budget, the figures, and when to come back. */
export function budgetExceeded(denial: BudgetDenial, planned: Planned, now: number): GatewayError {
  const { rule, cap, spent, held, bound, resetAt } = denial;
  const figures =
    (held > 0 ? ` Requests in flight hold ${formatDollars(held)}.` : '') +
    ` This request may cost up to ${formatDollars(bound)}.` +
    (resetAt === null ? '' : ` The budget resets at ${new Date(resetAt).toISOString()}.`);
  const isOfRoute = rule.scope === 'deployment' || rule.scope === 'provider';
  return new GatewayError(
    isOfRoute ? 'deployments_over_budget' : 'budget_exceeded',
    `${leadOf(rule, formatDollars(spent), formatDollars(cap))}.${figures}`,
    {
      ...(isOfRoute ? {} : { status: planned.snapshot.settings.budgetErrorStatus }),
      ...retryAfter(denial, now),
      ...(rule.scope === 'key' && { [rule.model === null ? 'ofKeyBudget' : 'ofModelBudget']: true }),
    },
  );
}

/** Leading words by which clients tell the scopes apart. */
function leadOf(rule: BudgetRule, spent: string, cap: string): string {
  const figures = `Current cost: ${spent}, Max budget: ${cap}`;
  const over = `over budget. Spend=${spent}, Budget=${cap}`;
  if (rule.model !== null && rule.scope === 'key') {
    return `LiteLLM Virtual Key: ${rule.id}, key_alias: ${rule.label}, exceeded budget for model=${rule.model}. ${figures}`;
  }
  const model = rule.model === null ? '' : ` Model=${rule.model}`;
  switch (rule.scope) {
    case 'key':
      return `Budget has been exceeded! ${figures}`;
    case 'team':
      return `Budget has been exceeded! Team=${rule.id}${model} ${figures}`;
    case 'team_member':
      return `Budget has been exceeded! Team member=${rule.id}${model} ${figures}`;
    case 'project':
      return `Budget has been exceeded! Project=${rule.id}${model} ${figures}`;
    case 'organization':
      return `Budget has been exceeded! Organization=${rule.id}${model} ${figures}`;
    case 'tag':
      return `Budget has been exceeded! Tag=${rule.id}${model} ${figures}`;
    case 'model':
      return `Budget has been exceeded! Model=${rule.id} ${figures}`;
    case 'user':
      return `ExceededBudget: User=${rule.id}${model} ${over}`;
    case 'end_user':
      return `ExceededBudget: End User=${rule.id}${model} ${over}`;
    case 'global':
      return `Budget has been exceeded! Proxy ${figures}`;
    case 'provider':
    case 'deployment':
      return `No deployments available - crossed budget. ${rule.label}: ${figures}`;
  }
}

/** Seconds until it is worth asking again: soon when only requests in flight stand in the way, else at the reset. */
function retryAfter({ cap, spent, bound, resetAt }: BudgetDenial, now: number): { retryAfterSeconds?: number } {
  if (spent + bound <= cap) return { retryAfterSeconds: 1 };
  return resetAt === null ? {} : { retryAfterSeconds: Math.max(1, Math.ceil((resetAt - now) / 1_000)) };
}

/** A hard budget cannot be kept over something whose cost nobody knows beforehand. */
export function unpriceable(unpriced: Deployment | null, unbounded: Deployment | null, rule: BudgetRule): GatewayError {
  const deployment = unpriced ?? unbounded!;
  const what =
    unpriced === null
      ? `nothing bounds the input tokens of this request (media, stored conversation or provider-run search) at model=${deployment.group}. ` +
        'Set `max_input_tokens` in its model_info'
      : `model=${deployment.group} (${deployment.model}) has no price. Set \`input_cost_per_token\` and ` +
        '`output_cost_per_token` in its litellm_params; 0 is a price';
  return new GatewayError('budget_unpriceable', `The ${rule.scope.replace('_', ' ')} has a hard budget, and ${what}.`, {
    param: 'model',
  });
}
