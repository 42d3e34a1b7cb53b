import { GatewayError } from '../core/errors.ts';
import type { UserRecord } from '../core/store.ts';
import { keyResource } from './key.ts';
import { membershipOfOrganization } from './organization.ts';
import type { Mutation, Resource } from './resource.ts';
import { auditedRow, idsOf, limitBounds } from './resource.ts';
import { membershipResource } from './team.ts';

/** People. Their address decides who they are at sign-in, so it bounds them like a role does. */
export const userResource: Resource<UserRecord> = {
  name: 'user',
  repository: (repositories) => repositories.users,
  ownership: (row) => ({ kind: 'user', id: row.id, userId: row.id, teamId: null, organizationId: null }),
  scope: 'user',
  bounds: [...limitBounds, 'email', 'role', 'models', 'blocked', 'metadata'],
  extraBounds: [
    'sso_user_id',
    'budget_limits',
    'model_rpm_limit',
    'model_tpm_limit',
    'object_permission',
    'guardrails',
  ],
  audited: auditedRow,
};

export async function refuseTakenEmail(mutation: Mutation, email: string | null, exceptId: string): Promise<void> {
  if (email === null) return;
  const taken = await mutation.repositories.users.list({ where: { email }, limit: 2 });
  if (taken.some((row) => row.id !== exceptId))
    throw new GatewayError('malformed_request', `User with email ${email} already exists.`, { param: 'user_email' });
}

/** A user goes with its keys and memberships. */
export async function removeUsers(mutation: Mutation, ids: readonly string[]): Promise<UserRecord[]> {
  const { repositories } = mutation;
  if (ids.length === 0) return [];
  const [keys, teams, organizations] = await Promise.all([
    repositories.keys.list({ where: { userId: ids } }),
    repositories.memberships.list({ where: { userId: ids } }),
    repositories.organizationMemberships.list({ where: { userId: ids } }),
  ]);
  await mutation.remove(keyResource, idsOf(keys));
  await mutation.remove(membershipResource, idsOf(teams));
  await mutation.remove(membershipOfOrganization, idsOf(organizations));
  return mutation.remove(userResource, ids);
}
