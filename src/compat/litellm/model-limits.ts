import type { VisibleModel } from '../../admin/visible-models.ts';

/** Limits of the deployment that takes the most: any of them may answer. */
export function maximumInput({ deployments }: VisibleModel): number | undefined {
  return maximum(deployments.map(({ limits }) => limits.inputTokensMax));
}

export function maximumOutput({ deployments }: VisibleModel): number | undefined {
  return maximum(deployments.map(({ limits }) => limits.outputTokensMax));
}

function maximum(figures: readonly (number | null)[]): number | undefined {
  const known = figures.filter((figure) => figure !== null);
  return known.length === 0 ? undefined : Math.max(...known);
}
