import type { OrganizationMembershipRecord, OrganizationRecord } from '../core/store.ts';
import { keyResource } from './key.ts';
import type { Mutation, Resource } from './resource.ts';
import { auditedRow, idsOf, limitBounds } from './resource.ts';
import { removeTeams } from './team.ts';

export const organizationResource: Resource<OrganizationRecord> = {
  name: 'organization',
  repository: (repositories) => repositories.organizations,
  ownership: (row) => ({ kind: 'organization', id: row.id, userId: null, teamId: null, organizationId: row.id }),
  scope: 'organization',
  bounds: [...limitBounds, 'models', 'blocked', 'metadata'],
  extraBounds: ['model_rpm_limit', 'model_tpm_limit', 'object_permission'],
  audited: auditedRow,
};

export const membershipOfOrganization: Resource<OrganizationMembershipRecord> = {
  name: 'organization_member',
  repository: (repositories) => repositories.organizationMemberships,
  ownership: (row) => ({
    kind: 'membership',
    id: row.id,
    userId: row.userId,
    teamId: null,
    organizationId: row.organizationId,
  }),
  scope: null,
  bounds: ['role'],
  extraBounds: ['max_budget_in_organization'],
  audited: auditedRow,
};

/** An organization goes with its teams, their keys, its own keys and memberships. */
export async function removeOrganizations(mutation: Mutation, ids: readonly string[]): Promise<OrganizationRecord[]> {
  const { repositories } = mutation;
  if (ids.length === 0) return [];
  const where = { organizationId: ids };
  const teams = await repositories.teams.list({ where });
  await removeTeams(mutation, idsOf(teams));
  const [keys, memberships] = await Promise.all([
    repositories.keys.list({ where }),
    repositories.organizationMemberships.list({ where }),
  ]);
  await mutation.remove(keyResource, idsOf(keys));
  await mutation.remove(membershipOfOrganization, idsOf(memberships));
  return mutation.remove(organizationResource, ids);
}
