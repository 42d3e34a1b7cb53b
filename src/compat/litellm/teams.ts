import { z } from 'zod';
import { seesEverything } from '../../admin/actor.ts';
import { authorize, notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { requireReferences } from '../../admin/key.ts';
import { mutate } from '../../admin/resource.ts';
import { removeTeams, teamResource } from '../../admin/team.ts';
import { GatewayError } from '../../core/errors.ts';
import type { TeamRecord } from '../../core/store.ts';
import { identifier, modelList, page, pageSize } from './fields.ts';
import { keyFigures } from './key-figures.ts';
import { keyOutput, shownKey } from './key-shape.ts';
import { noLimits } from './limit-fields.ts';
import { withDefaults } from './new-defaults.ts';
import { shownMemberships, shownTeams } from './team-figures.ts';
import { addMembers } from './team-members.ts';
import { memberFields, membershipOutput, teamColumns, teamFields, teamOutput } from './team-shape.ts';

const tag = 'teams';
const oneTeam = z.object({ team_id: identifier });

export function teamEndpoints(plane: ControlPlane): Endpoint[] {
  const shownOne = async (row: TeamRecord) => (await shownTeams(plane, [row]))[0]!;
  const setBlocked = (blocked: boolean) =>
    endpoint(`POST /team/${blocked ? 'block' : 'unblock'}`, {
      access: 'self_service',
      tag,
      summary: blocked ? 'Refuse every key of a team.' : 'Accept the keys of a blocked team again.',
      body: oneTeam,
      response: teamOutput,
      async run({ actor, body }) {
        const action = blocked ? 'blocked' : 'unblocked';
        return shownOne(
          await mutate(plane, actor, (work) => work.update(teamResource, body.team_id, { blocked }, action)),
        );
      },
    });
  const changeModels = (name: 'add' | 'delete') =>
    endpoint(`POST /team/model/${name}`, {
      access: 'self_service',
      tag,
      summary: name === 'add' ? 'Add models to what a team may use.' : 'Take models from what a team may use.',
      body: z.object({ team_id: identifier, models: modelList }),
      response: teamOutput,
      async run({ actor, body }) {
        const row = await mutate(plane, actor, async (work) => {
          const team = await work.repositories.teams.get(body.team_id);
          if (team === undefined) throw notFound('team', body.team_id);
          const models =
            name === 'add'
              ? [...new Set([...team.models, ...body.models])]
              : team.models.filter((model) => !body.models.includes(model));
          if (name === 'delete' && models.length === 0 && team.models.length > 0)
            throw new GatewayError(
              'malformed_request',
              'A team without a model list may use every model: leave one, or set the list with /team/update.',
              { param: 'models' },
            );
          return work.update(teamResource, team.id, { models });
        });
        return shownOne(row);
      },
    });

  return [
    endpoint('POST /team/new', {
      access: 'self_service',
      tag,
      summary: 'Create a team.',
      body: z.object({
        ...teamFields,
        team_id: identifier.nullish(),
        admins: z.array(identifier).nullish(),
        members: z.array(identifier).nullish(),
        members_with_roles: z.array(memberFields).max(1_000).nullish(),
      }),
      response: teamOutput,
      async run({ actor, body }) {
        const { teamDefaults } = plane.settings;
        const columns = teamColumns(withDefaults(body, teamDefaults, z.object(teamFields), 'default_team_params'));
        const row = await mutate(plane, actor, async (work) => {
          await requireReferences(work, {
            organizationId: columns.organizationId ?? null,
            budgetId: columns.budgetId ?? null,
          });
          const team = await work.create(teamResource, {
            ...noLimits,
            alias: null,
            organizationId: null,
            models: [],
            modelAliases: {},
            blocked: false,
            metadata: {},
            memberBudget: null,
            memberBudgetDuration: null,
            memberRpmLimit: null,
            memberTpmLimit: null,
            ...columns,
            extra: columns.extra ?? {},
            id: body.team_id ?? plane.chance.id(),
          });
          const members = [
            ...(body.members_with_roles ?? []),
            ...(body.admins ?? []).map((user_id) => ({ user_id, role: 'admin' as const })),
            ...(body.members ?? []).map((user_id) => ({ user_id, role: 'user' as const })),
          ];
          await addMembers(plane, work, team, members, {});
          return team;
        });
        return shownOne(row);
      },
    }),
    endpoint('POST /team/update', {
      access: 'self_service',
      tag,
      summary: 'Change a team. Fields left out stay, null clears.',
      body: z.object({ ...teamFields, team_id: identifier }),
      response: z.object({ team_id: z.string(), data: teamOutput }),
      async run({ actor, body }) {
        const row = await mutate(plane, actor, async (work) => {
          const columns = teamColumns(body);
          await requireReferences(work, {
            organizationId: columns.organizationId ?? null,
            budgetId: columns.budgetId ?? null,
          });
          return work.update(teamResource, body.team_id, columns);
        });
        return { team_id: row.id, data: await shownOne(row) };
      },
    }),
    endpoint('PATCH /team/{team_id}', {
      access: 'self_service',
      tag,
      summary: 'Change a team.',
      body: z.object(teamFields),
      response: teamOutput,
      async run({ actor, body, params }) {
        const row = await mutate(plane, actor, async (work) => {
          const columns = teamColumns(body);
          await requireReferences(work, {
            organizationId: columns.organizationId ?? null,
            budgetId: columns.budgetId ?? null,
          });
          return work.update(teamResource, params.team_id!, columns);
        });
        return shownOne(row);
      },
    }),
    endpoint('POST /team/delete', {
      access: 'self_service',
      tag,
      summary: 'Delete teams with their keys and memberships.',
      body: z.object({ team_ids: z.array(identifier).min(1).max(1_000) }),
      response: z.object({ deleted_teams: z.array(z.string()), message: z.string() }),
      async run({ actor, body }) {
        await mutate(plane, actor, async (work) => {
          const found = new Set((await work.repositories.teams.many(body.team_ids)).map((row) => row.id));
          const missing = body.team_ids.find((id) => !found.has(id));
          if (missing !== undefined) throw notFound('team', missing);
          return removeTeams(work, body.team_ids);
        });
        return { deleted_teams: body.team_ids, message: 'Teams deleted with their keys.' };
      },
    }),
    endpoint('GET /team/info', {
      access: 'any_key',
      group: 'info_routes',
      tag,
      summary: 'A team with its keys and members.',
      query: z.object({ team_id: identifier }),
      response: z.object({
        team_id: z.string(),
        team_info: teamOutput,
        keys: z.array(keyOutput),
        team_memberships: z.array(membershipOutput),
      }),
      async run({ actor, query }) {
        const row = await plane.store.teams.get(query.team_id);
        if (row === undefined) throw notFound('team', query.team_id);
        authorize(actor, 'read', teamResource.ownership(row));
        const runsIt = seesEverything(actor) || actor.teamsAdministered.has(row.id);
        const own =
          actor.principal.userId === null ? { id: actor.principal.keyId } : { userId: actor.principal.userId };
        const keys = await plane.store.keys.list({ where: { teamId: row.id, ...(runsIt ? {} : own) } });
        const figures = await keyFigures(plane, keys);
        const memberships = await shownMemberships(plane, row);
        return {
          team_id: row.id,
          team_info: await shownOne(row),
          keys: keys.map((key, index) => shownKey(key, figures[index]!)),
          team_memberships: runsIt
            ? memberships
            : memberships.filter((member) => member.user_id === actor.principal.userId),
        };
      },
    }),
    endpoint('GET /team/list', {
      access: 'self_service',
      group: 'info_routes',
      tag,
      summary: 'Every team one may see.',
      query: z.object({ user_id: identifier.optional(), organization_id: identifier.optional() }),
      response: z.array(teamOutput),
      async run({ actor, query }) {
        const ids = await listable(plane, actor, query.user_id);
        const organization = query.organization_id === undefined ? {} : { organizationId: query.organization_id };
        const rows = await plane.store.teams.list({
          where: { ...organization, ...(ids === null ? {} : { id: ids }) },
          orderBy: 'createdAt',
          limit: 10_000,
        });
        return shownTeams(plane, rows);
      },
    }),
    endpoint('GET /v2/team/list', {
      access: 'self_service',
      group: 'info_routes',
      tag,
      summary: 'Teams one may see, a page at a time.',
      query: z.object({
        page: page.default(1),
        page_size: pageSize.default(10),
        user_id: identifier.optional(),
        organization_id: identifier.optional(),
        team_id: identifier.optional(),
        team_alias: z.string().optional(),
        sort_by: z.string().optional(),
        sort_order: z.enum(['asc', 'desc']).default('asc'),
      }),
      response: z.object({
        teams: z.array(teamOutput),
        total: z.number(),
        page: z.number(),
        page_size: z.number(),
        total_pages: z.number(),
      }),
      async run({ actor, query }) {
        const ids = await listable(plane, actor, query.user_id);
        const wanted =
          query.team_id === undefined ? ids : ids === null || ids.includes(query.team_id) ? [query.team_id] : [];
        const filter = {
          where: {
            ...(query.organization_id === undefined ? {} : { organizationId: query.organization_id }),
            ...(wanted === null ? {} : { id: wanted }),
          },
          like: query.team_alias === undefined ? {} : { alias: query.team_alias },
        };
        const [rows, total] = await Promise.all([
          plane.store.teams.list({
            ...filter,
            orderBy: query.sort_by === 'team_alias' ? 'alias' : 'createdAt',
            descending: query.sort_order === 'desc',
            offset: (query.page - 1) * query.page_size,
            limit: query.page_size,
          }),
          plane.store.teams.count(filter),
        ]);
        return {
          teams: await shownTeams(plane, rows),
          total,
          page: query.page,
          page_size: query.page_size,
          total_pages: Math.ceil(total / query.page_size),
        };
      },
    }),
    endpoint('GET /team/available', {
      access: 'self_service',
      group: 'info_routes',
      tag,
      summary: 'Teams that anyone may join: none unless configured.',
      response: z.array(teamOutput),
      run: () => [],
    }),
    endpoint('GET /team/permissions_list', {
      access: 'self_service',
      group: 'info_routes',
      tag,
      summary: 'What members of a team may do with its keys.',
      query: oneTeam,
      response: z.object({
        team_id: z.string(),
        team_member_permissions: z.array(z.string()),
        all_available_permissions: z.array(z.string()),
      }),
      async run({ actor, query }) {
        const row = await plane.store.teams.get(query.team_id);
        if (row === undefined) throw notFound('team', query.team_id);
        authorize(actor, 'read', teamResource.ownership(row));
        return shownPermissions(row);
      },
    }),
    endpoint('POST /team/permissions_update', {
      access: 'self_service',
      tag,
      summary: 'Set what members of a team may do with its keys.',
      body: z.object({ team_id: identifier, team_member_permissions: z.array(z.string().max(128)).max(100) }),
      response: teamOutput,
      async run({ actor, body }) {
        const extra = { team_member_permissions: body.team_member_permissions };
        return shownOne(await mutate(plane, actor, (work) => work.update(teamResource, body.team_id, { extra })));
      },
    }),
    setBlocked(true),
    setBlocked(false),
    changeModels('add'),
    changeModels('delete'),
  ];
}

const permissions = [
  '/key/info',
  '/key/health',
  '/key/list',
  '/key/generate',
  '/key/update',
  '/key/delete',
  '/key/regenerate',
];

function shownPermissions(row: TeamRecord) {
  const given = row.extra.team_member_permissions;
  return {
    team_id: row.id,
    team_member_permissions: Array.isArray(given) ? given.map(String) : [],
    all_available_permissions: permissions,
  };
}

/** Ids an actor may list; null = all. */
async function listable(
  plane: ControlPlane,
  actor: Parameters<typeof seesEverything>[0],
  userId: string | undefined,
): Promise<readonly string[] | null> {
  if (seesEverything(actor)) {
    if (userId === undefined) return null;
    return (await plane.store.memberships.list({ where: { userId } })).map((row) => row.teamId);
  }
  if (userId !== undefined && userId !== actor.principal.userId)
    throw new GatewayError('route_denied', `User=${actor.name} may list its own teams only.`, { param: 'user_id' });
  return [...new Set([...actor.teams, ...actor.teamsAdministered])];
}
