import type { Deployment } from '../../core/route.ts';

/** Fewer are gone through as they are. */
const groupedFrom = 8;
const kindsMax = 10_000;

/** Stands for all deployments that bound a request alike. */
type Kind = object;

let kinds = new Map<string, Kind>();
const kindByDeployment = new WeakMap<Deployment, Kind>();
const oneOfEach = new WeakMap<readonly Deployment[], readonly Deployment[]>();

/** Of deployments that bound every request alike the first: a thousand of one model mostly have one price and one limit. */
export function boundedAlike(deployments: readonly Deployment[]): readonly Deployment[] {
  if (deployments.length < groupedFrom) return deployments;
  let found = oneOfEach.get(deployments);
  if (found === undefined) {
    const first = new Map<Kind, Deployment>();
    for (const deployment of deployments) {
      const kind = kindOf(deployment);
      if (!first.has(kind)) first.set(kind, deployment);
    }
    found = [...first.values()];
    oneOfEach.set(deployments, found);
  }
  return found;
}

/** By everything that a bound depends on. */
function kindOf(deployment: Deployment): Kind {
  let kind = kindByDeployment.get(deployment);
  if (kind === undefined) {
    const { price, limits, defaults, extraBody, provider, additionalDropParams, traits } = deployment;
    const dropped = [additionalDropParams, traits.unsupportedParams];
    const text = JSON.stringify([price, limits, defaults, extraBody, provider.id, dropped]);
    if (kinds.size >= kindsMax) kinds = new Map();
    kind = kinds.get(text) ?? {};
    kinds.set(text, kind);
    kindByDeployment.set(deployment, kind);
  }
  return kind;
}
