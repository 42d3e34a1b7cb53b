import { z } from 'zod';
import { notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import type { Mutation } from '../../admin/resource.ts';
import { mutate } from '../../admin/resource.ts';
import { membershipId, membershipResource } from '../../admin/team.ts';
import { userResource } from '../../admin/user.ts';
import { GatewayError } from '../../core/errors.ts';
import type { MembershipRecord, TeamRecord, UserRecord } from '../../core/store.ts';
import { budgetDuration, count, dollars, identifier, modelList } from './fields.ts';
import { noLimits, present } from './limit-fields.ts';
import { shownMemberships, shownTeams } from './team-figures.ts';
import { memberFields, membershipOutput, shownTeamFields, teamOutput } from './team-shape.ts';

const tag = 'teams';

const memberLimits = {
  max_budget_in_team: dollars.nullish(),
  budget_duration: budgetDuration.nullish(),
  tpm_limit: count.nullish(),
  rpm_limit: count.nullish(),
  allowed_models: modelList.nullish(),
};
const limitsBody = z.object(memberLimits);
const addOutput = z.object({
  ...shownTeamFields,
  updated_users: z.array(z.object({ user_id: z.string(), user_email: z.string().nullable() })),
  updated_team_memberships: z.array(membershipOutput),
});
type Member = z.output<typeof memberFields>;
type MemberLimits = z.output<typeof limitsBody>;

export function teamMemberEndpoints(plane: ControlPlane): Endpoint[] {
  async function add(
    actor: Parameters<typeof mutate>[1],
    teamId: string,
    members: readonly Member[],
    limits: MemberLimits,
  ) {
    const { team, users } = await mutate(plane, actor, async (work) => {
      const found = await mustFindTeam(work, teamId);
      return { team: found, users: await addMembers(plane, work, found, members, limits) };
    });
    const ids = new Set(users.map((user) => user.id));
    const [shown] = await shownTeams(plane, [team]);
    return {
      ...shown!,
      updated_users: users.map((user) => ({ user_id: user.id, user_email: user.email })),
      updated_team_memberships: (await shownMemberships(plane, team)).filter((member) => ids.has(member.user_id)),
    };
  }

  return [
    endpoint('POST /team/member_add', {
      access: 'self_service',
      tag,
      summary: 'Add one or more members to a team.',
      body: z.object({
        team_id: identifier,
        member: z.union([memberFields, z.array(memberFields).max(500)]),
        ...memberLimits,
      }),
      response: addOutput,
      run: ({ actor, body }) =>
        add(actor, body.team_id, Array.isArray(body.member) ? body.member : [body.member], body),
    }),
    endpoint('POST /team/bulk_member_add', {
      access: 'self_service',
      tag,
      summary: 'Add many members to a team.',
      body: z.object({ team_id: identifier, members: z.array(memberFields).min(1).max(500), ...memberLimits }),
      response: addOutput,
      run: ({ actor, body }) => add(actor, body.team_id, body.members, body),
    }),
    endpoint('POST /team/member_update', {
      access: 'self_service',
      tag,
      summary: "Change a member's role or limits in a team.",
      body: z.object({
        team_id: identifier,
        user_id: identifier.nullish(),
        user_email: z.string().nullish(),
        role: z.enum(['admin', 'user']).nullish(),
        ...memberLimits,
      }),
      response: membershipOutput,
      async run({ actor, body }) {
        const team = await mutate(plane, actor, async (work) => {
          const found = await mustFindTeam(work, body.team_id);
          const user = await findUser(work, body);
          if (user === undefined) throw notFound('member', body.user_id ?? body.user_email ?? '');
          const changes = { ...limitColumnsOf(body), ...(body.role ? { role: body.role } : {}) };
          await work.update(membershipResource, membershipId(found.id, user.id), changes);
          return { found, userId: user.id };
        });
        return (await shownMemberships(plane, team.found)).find((member) => member.user_id === team.userId);
      },
    }),
    endpoint('POST /team/member_delete', {
      access: 'self_service',
      tag,
      summary: 'Take a member out of a team.',
      body: z.object({ team_id: identifier, user_id: identifier.nullish(), user_email: z.string().nullish() }),
      response: teamOutput,
      async run({ actor, body }) {
        const team = await mutate(plane, actor, async (work) => {
          const found = await mustFindTeam(work, body.team_id);
          const user = await findUser(work, body);
          const removed =
            user === undefined ? [] : await work.remove(membershipResource, [membershipId(found.id, user.id)]);
          if (removed.length === 0) throw notFound('member', body.user_id ?? body.user_email ?? '');
          return found;
        });
        return (await shownTeams(plane, [team]))[0];
      },
    }),
  ];
}

/** Adds members that may be there already (then their role and limits change). Unknown users are made by administrators only. */
export async function addMembers(
  plane: ControlPlane,
  work: Mutation,
  team: TeamRecord,
  members: readonly Member[],
  limits: MemberLimits,
): Promise<UserRecord[]> {
  const users: UserRecord[] = [];
  for (const member of members) {
    if (!member.user_id && !member.user_email)
      throw new GatewayError('malformed_request', 'A member needs user_id or user_email.', { param: 'member' });
    const user = (await findUser(work, member)) ?? (await work.create(userResource, newUser(plane, member)));
    const id = membershipId(team.id, user.id);
    const columns = limitColumnsOf(limits);
    if ((await work.repositories.memberships.get(id)) === undefined) {
      await work.create(membershipResource, {
        teamId: team.id,
        userId: user.id,
        role: member.role,
        maxBudget: null,
        budgetDuration: null,
        rpmLimit: null,
        tpmLimit: null,
        allowedModels: [],
        ...columns,
        id,
        extra: {},
      });
    } else {
      await work.update(membershipResource, id, { role: member.role, ...columns });
    }
    users.push(user);
  }
  return users;
}

function newUser(plane: ControlPlane, member: Member) {
  return {
    ...noLimits,
    id: member.user_id ?? plane.chance.id(),
    email: member.user_email ?? null,
    alias: null,
    role: 'internal_user' as const,
    models: [],
    blocked: false,
    metadata: {},
    extra: {},
  };
}

function limitColumnsOf(body: MemberLimits): Partial<MembershipRecord> {
  return present({
    maxBudget: body.max_budget_in_team,
    budgetDuration: body.budget_duration,
    tpmLimit: body.tpm_limit,
    rpmLimit: body.rpm_limit,
    allowedModels: body.allowed_models === null ? [] : body.allowed_models,
  }) as Partial<MembershipRecord>;
}

async function mustFindTeam(work: Mutation, id: string): Promise<TeamRecord> {
  const team = await work.repositories.teams.get(id);
  if (team === undefined) throw notFound('team', id);
  return team;
}

export async function findUser(
  work: Pick<Mutation, 'repositories'>,
  who: { user_id?: string | null | undefined; user_email?: string | null | undefined },
): Promise<UserRecord | undefined> {
  if (who.user_id) return work.repositories.users.get(who.user_id);
  if (!who.user_email) return undefined;
  return (await work.repositories.users.list({ where: { email: who.user_email }, limit: 1 }))[0];
}
