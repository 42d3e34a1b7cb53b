import { z } from 'zod';
import { notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { membershipOfOrganization } from '../../admin/organization.ts';
import type { Mutation } from '../../admin/resource.ts';
import { mutate } from '../../admin/resource.ts';
import { userResource } from '../../admin/user.ts';
import { GatewayError } from '../../core/errors.ts';
import type { OrganizationRecord } from '../../core/store.ts';
import { dollars, identifier, inDollars } from './fields.ts';
import { noLimits } from './limit-fields.ts';
import { organizationMemberOutput, organizationOutput, shownOrganizations } from './organization-figures.ts';
import { findUser } from './team-members.ts';

const tag = 'organizations';
const role = z.enum(['org_admin', 'internal_user', 'internal_user_viewer']);
const who = { user_id: identifier.nullish(), user_email: z.string().max(320).nullish() };
const member = z.object({ ...who, role: role.default('internal_user') });
const budget = { max_budget_in_organization: dollars.nullish() };

export function organizationMemberEndpoints(plane: ControlPlane): Endpoint[] {
  const shownOne = async (row: OrganizationRecord) => (await shownOrganizations(plane, [row]))[0]!;
  return [
    endpoint('POST /organization/member_add', {
      access: 'self_service',
      tag,
      summary: 'Add members to an organization.',
      body: z.object({ organization_id: identifier, member: z.union([member, z.array(member).max(500)]), ...budget }),
      response: z.object({
        organization_id: z.string(),
        updated_users: z.array(z.object({ user_id: z.string(), user_email: z.string().nullable() })),
        updated_organization_memberships: z.array(organizationMemberOutput),
      }),
      async run({ actor, body }) {
        const members = Array.isArray(body.member) ? body.member : [body.member];
        const { organization, users } = await mutate(plane, actor, async (work) => {
          const found = await mustFind(work, body.organization_id);
          const added = [];
          for (const one of members) {
            if (!one.user_id && !one.user_email)
              throw new GatewayError('malformed_request', 'A member needs user_id or user_email.', { param: 'member' });
            const user =
              (await findUser(work, one)) ??
              (await work.create(userResource, {
                ...noLimits,
                id: one.user_id ?? plane.chance.id(),
                email: one.user_email ?? null,
                alias: null,
                role: 'internal_user',
                models: [],
                blocked: false,
                metadata: {},
                extra: {},
              }));
            const extra =
              body.max_budget_in_organization === undefined
                ? {}
                : { max_budget_in_organization: inDollars(body.max_budget_in_organization) };
            const id = `${found.id}/${user.id}`;
            if ((await work.repositories.organizationMemberships.get(id)) === undefined)
              await work.create(membershipOfOrganization, {
                id,
                organizationId: found.id,
                userId: user.id,
                role: one.role,
                extra,
              });
            else await work.update(membershipOfOrganization, id, { role: one.role, extra });
            added.push(user);
          }
          return { organization: found, users: added };
        });
        const ids = new Set(users.map((user) => user.id));
        const shown = await shownOne(organization);
        return {
          organization_id: organization.id,
          updated_users: users.map((user) => ({ user_id: user.id, user_email: user.email })),
          updated_organization_memberships: shown.members.filter((one) => ids.has(one.user_id)),
        };
      },
    }),
    endpoint('PATCH /organization/member_update', {
      access: 'self_service',
      tag,
      summary: "Change a member's role or budget in an organization.",
      body: z.object({ organization_id: identifier, ...who, role: role.nullish(), ...budget }),
      response: organizationMemberOutput,
      async run({ actor, body }) {
        const { organization, userId } = await mutate(plane, actor, async (work) => {
          const found = await mustFind(work, body.organization_id);
          const user = await findUser(work, body);
          if (user === undefined) throw notFound('member', body.user_id ?? body.user_email ?? '');
          const extra =
            body.max_budget_in_organization === undefined
              ? {}
              : { max_budget_in_organization: inDollars(body.max_budget_in_organization) };
          const changes = { extra, ...(body.role ? { role: body.role } : {}) };
          await work.update(membershipOfOrganization, `${found.id}/${user.id}`, changes);
          return { organization: found, userId: user.id };
        });
        return (await shownOne(organization)).members.find((one) => one.user_id === userId);
      },
    }),
    endpoint('DELETE /organization/member_delete', {
      access: 'self_service',
      tag,
      summary: 'Take a member out of an organization.',
      body: z.object({ organization_id: identifier, ...who }),
      response: organizationOutput,
      async run({ actor, body }) {
        const organization = await mutate(plane, actor, async (work) => {
          const found = await mustFind(work, body.organization_id);
          const user = await findUser(work, body);
          const removed =
            user === undefined ? [] : await work.remove(membershipOfOrganization, [`${found.id}/${user.id}`]);
          if (removed.length === 0) throw notFound('member', body.user_id ?? body.user_email ?? '');
          return found;
        });
        return shownOne(organization);
      },
    }),
  ];
}

async function mustFind(work: Mutation, id: string): Promise<OrganizationRecord> {
  const row = await work.repositories.organizations.get(id);
  if (row === undefined) throw notFound('organization', id);
  return row;
}
