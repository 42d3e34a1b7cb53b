import type { Deployment } from '../../core/route.ts';

/** What a list of deployments is like as a whole: looked at once, since nearly all requests for a group choose from the same list. */
export interface ListTraits {
  readonly someHaveTeams: boolean;
  readonly haveOneOrder: boolean;
  readonly someHaveBudgets: boolean;
  readonly someHaveParallelMax: boolean;
}

const kept = new WeakMap<readonly Deployment[], ListTraits>();

export function traitsOf(deployments: readonly Deployment[]): ListTraits {
  let traits = kept.get(deployments);
  if (traits === undefined) {
    traits = {
      someHaveTeams: deployments.some(({ teamId }) => teamId !== null),
      haveOneOrder: deployments.every(({ order }) => order === deployments[0]!.order),
      someHaveBudgets: deployments.some(({ budgets }) => budgets.length > 0),
      someHaveParallelMax: deployments.some(({ parallelMax }) => parallelMax !== null),
    };
    kept.set(deployments, traits);
  }
  return traits;
}
