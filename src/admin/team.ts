import type { MembershipRecord, TeamRecord } from '../core/store.ts';
import { keyResource } from './key.ts';
import { projectResource } from './project.ts';
import type { Mutation, Resource } from './resource.ts';
import { auditedRow, idsOf, limitBounds } from './resource.ts';

export const teamResource: Resource<TeamRecord> = {
  name: 'team',
  repository: (repositories) => repositories.teams,
  ownership: (row) => ({
    kind: 'team',
    id: row.id,
    userId: null,
    teamId: row.id,
    organizationId: row.organizationId,
  }),
  scope: 'team',
  bounds: [
    ...limitBounds,
    'models',
    'modelAliases',
    'blocked',
    'metadata',
    'memberBudget',
    'memberBudgetDuration',
    'memberRpmLimit',
    'memberTpmLimit',
  ],
  extraBounds: [
    'budget_limits',
    'model_rpm_limit',
    'model_tpm_limit',
    'mcp_rpm_limit',
    'tags',
    'object_permission',
    'access_group_ids',
    'allowed_passthrough_routes',
    'guardrails',
    'policies',
    'team_member_permissions',
  ],
  audited: auditedRow,
};

/** Who is in a team. A team's administrators change it; what a member may spend bounds the member, not the team. */
export const membershipResource: Resource<MembershipRecord> = {
  name: 'team_member',
  repository: (repositories) => repositories.memberships,
  ownership: (row) => ({
    kind: 'membership',
    id: row.id,
    userId: row.userId,
    teamId: row.teamId,
    organizationId: null,
  }),
  scope: 'team_member',
  bounds: ['role', 'maxBudget', 'budgetDuration', 'rpmLimit', 'tpmLimit', 'allowedModels'],
  extraBounds: [],
  audited: auditedRow,
};

export function membershipId(teamId: string, userId: string): string {
  return `${teamId}/${userId}`;
}

/** A team goes with its keys, projects and memberships. */
export async function removeTeams(mutation: Mutation, ids: readonly string[]): Promise<TeamRecord[]> {
  const { repositories } = mutation;
  if (ids.length === 0) return [];
  const [keys, memberships, projects] = await Promise.all([
    repositories.keys.list({ where: { teamId: ids } }),
    repositories.memberships.list({ where: { teamId: ids } }),
    repositories.projects.list({ where: { teamId: ids } }),
  ]);
  await mutation.remove(keyResource, idsOf(keys));
  await mutation.remove(membershipResource, idsOf(memberships));
  await mutation.remove(projectResource, idsOf(projects));
  return mutation.remove(teamResource, ids);
}
