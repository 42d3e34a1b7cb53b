import type { Principal } from '../core/identity.ts';
import type { Deployment } from '../core/route.ts';
import type { ControlPlane } from './control-plane.ts';

export interface VisibleModel {
  /** What a caller writes in `model`. */
  readonly name: string;
  /** The group it leads to: the same, or what an alias stands for. */
  readonly group: string;
  readonly deployments: readonly Deployment[];
  readonly wildcard: boolean;
}

/** Every public model name that this principal may use: groups, shown aliases, and wildcards where asked for. */
export function visibleModels(plane: ControlPlane, principal: Principal, withWildcards: boolean): VisibleModel[] {
  const snapshot = plane.snapshot();
  const models: VisibleModel[] = [];
  for (const group of snapshot.groups.values()) {
    const deployments = group.deployments.filter((deployment) => mayReach(principal, deployment));
    if (deployments.length > 0) models.push({ name: group.name, group: group.name, deployments, wildcard: false });
  }
  for (const [name, alias] of snapshot.aliases) {
    const group = snapshot.groups.get(alias.group);
    if (!alias.hidden && group !== undefined && !snapshot.groups.has(name))
      models.push({ name, group: group.name, deployments: group.deployments, wildcard: false });
  }
  for (const [name, group] of snapshot.teamGroups?.get(principal.teamId ?? '') ?? []) {
    if (!snapshot.groups.has(name)) models.push({ name, group: name, deployments: group.deployments, wildcard: false });
  }
  for (const [name, { tiers, otherwise }] of snapshot.complexityRoutes ?? []) {
    const groups = new Set([...Object.values(tiers).flat(), otherwise]);
    const deployments = [...groups].flatMap((group) => snapshot.groups.get(group)?.deployments ?? []);
    if (!snapshot.groups.has(name)) models.push({ name, group: name, deployments, wildcard: false });
  }
  if (withWildcards) {
    for (const group of snapshot.wildcards)
      models.push({ name: group.name, group: group.name, deployments: group.deployments, wildcard: true });
  }
  return models.filter((model) =>
    plane.mayUse(principal, { asked: model.name, group: model.group, deployments: model.deployments }),
  );
}

/** Deployments of a team are that team's and the administrators'. */
export function mayReach(principal: Principal, deployment: Deployment): boolean {
  return deployment.teamId === null || principal.kind !== 'virtual_key' || principal.teamId === deployment.teamId;
}
