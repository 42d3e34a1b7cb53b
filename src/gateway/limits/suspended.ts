import { GatewayError } from '../../core/errors.ts';
import { asRerouted, type Planned } from '../../core/exchange.ts';
import type { BudgetRule } from '../../core/limits.ts';
import type { Gateway } from '../gateway.ts';

/** The same without deployments that a hard budget cannot rely on. Throws when none is left. */
export function withoutSuspended(
  { suspended }: Pick<Gateway, 'suspended'>,
  planned: Planned,
  budgets: readonly BudgetRule[],
): Planned {
  const { route } = planned;
  if (!route.reachable.some(({ id }) => suspended.has(id))) return planned;
  const hard = budgets.find(({ cap }) => cap !== null);
  if (hard === undefined) return planned;
  const isTrusted = ({ id }: { readonly id: string }) => !suspended.has(id);
  const reachable = route.reachable.filter(isTrusted);
  if (reachable.length === 0) {
    throw new GatewayError(
      'budget_unpriceable',
      `The ${hard.scope.replace('_', ' ')} has a hard budget, and model=${route.primary.name} is suspended for those: a request cost ` +
        'more than its upper bound. An administrator must check its price and its limits, and resume it.',
      { param: 'model' },
    );
  }
  const candidates = route.primary.candidates.filter(isTrusted);
  return asRerouted(planned, { ...route, primary: { ...route.primary, candidates }, reachable, isTrusted });
}
