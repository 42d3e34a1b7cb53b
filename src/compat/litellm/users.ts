import { z } from 'zod';
import type { Actor } from '../../admin/actor.ts';
import { seesEverything } from '../../admin/actor.ts';
import { authorize, notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { mintKey, requireReferences } from '../../admin/key.ts';
import { mutate } from '../../admin/resource.ts';
import { refuseTakenEmail, removeUsers, userResource } from '../../admin/user.ts';
import { GatewayError } from '../../core/errors.ts';
import { roles } from '../../core/identity.ts';
import type { UserRecord } from '../../core/store.ts';
import { flag, identifier, page, pageSize, words } from './fields.ts';
import { keyFigures } from './key-figures.ts';
import { keyFields, keyOutput, newKeyOutput, shownKey } from './key-shape.ts';
import { createKey } from './keys.ts';
import { noLimits } from './limit-fields.ts';
import { withDefaults } from './new-defaults.ts';
import { shownTeams } from './team-figures.ts';
import { addMembers, findUser } from './team-members.ts';
import { teamOutput } from './team-shape.ts';
import { shownUsers } from './user-figures.ts';
import { shownUserFields, userColumns, userFields, userOutput } from './user-shape.ts';

const tag = 'users';

const newUserBody = z.object({
  ...keyFields,
  ...userFields,
  user_id: identifier.nullish(),
  teams: z
    .array(z.union([identifier, z.object({ team_id: identifier })]))
    .max(100)
    .nullish(),
  organizations: z.array(identifier).max(100).nullish(),
  auto_create_key: flag.default(true),
});

const userListQuery = z.object({
  role: z.enum(roles).optional(),
  user_ids: words.optional(),
  user_email: z.string().optional(),
  team: identifier.optional(),
  page: page.default(1),
  page_size: pageSize.default(25),
  sort_by: z.string().optional(),
  sort_order: z.enum(['asc', 'desc']).default('asc'),
});

const whoFields = { user_id: identifier.nullish(), user_email: z.string().nullish() };

export function userEndpoints(plane: ControlPlane): Endpoint[] {
  const shownOne = async (row: UserRecord) => (await shownUsers(plane, [row]))[0]!;

  async function readable(actor: Actor, wanted: string | undefined): Promise<UserRecord> {
    const id = wanted ?? actor.principal.userId;
    if (id === null)
      throw new GatewayError('malformed_request', 'Name the user in user_id: this key belongs to none.', {
        param: 'user_id',
      });
    const row = await plane.store.users.get(id);
    if (row === undefined) throw notFound('user', id);
    authorize(actor, 'read', userResource.ownership(row));
    return row;
  }

  return [
    endpoint('POST /user/new', {
      access: 'admin',
      tag,
      summary: 'Create a user and, unless auto_create_key is false, a first key.',
      body: newUserBody,
      response: z.object({
        ...newKeyOutput.partial().shape,
        ...shownUserFields,
        key: z.string().nullable(),
        token: z.string().nullable(),
        organizations: z.array(z.string()),
      }),
      async run({ actor, body: asked }) {
        const minted = mintKey(plane);
        const { userDefaults } = plane.settings;
        const body = withDefaults(asked, userDefaults, newUserBody.partial(), 'default_internal_user_params');
        const made = await mutate(plane, actor, async (work) => {
          const columns = userColumns(body);
          const id = body.user_id ?? plane.chance.id();
          await refuseTakenEmail(work, columns.email ?? null, id);
          await requireReferences(work, { budgetId: columns.budgetId ?? null });
          const user = await work.create(userResource, {
            ...noLimits,
            email: null,
            alias: null,
            role: 'internal_user',
            models: [],
            blocked: false,
            metadata: {},
            ...columns,
            extra: columns.extra ?? {},
            id,
          });
          for (const entry of body.teams ?? []) {
            const teamId = typeof entry === 'string' ? entry : entry.team_id;
            const team = await work.repositories.teams.get(teamId);
            if (team === undefined) throw notFound('team', teamId);
            await addMembers(plane, work, team, [{ user_id: id, role: 'user' }], {});
          }
          if (!body.auto_create_key) return { user, key: null };
          // The budget is the user's: the key counts towards it and needs none of its own.
          const wanted = {
            key_alias: body.key_alias,
            duration: body.duration,
            team_id: body.team_id,
            aliases: body.aliases,
          };
          return { user, key: await createKey(plane, work, actor, minted, wanted, id) };
        });
        const user = await shownOne(made.user);
        if (made.key === null) return { ...user, key: null, token: null, organizations: body.organizations ?? [] };
        const [figures] = await keyFigures(plane, [made.key]);
        return {
          ...shownKey(made.key, figures!),
          ...user,
          key: minted.plain,
          token_id: made.key.id,
          duration: body.duration ?? null,
          organizations: body.organizations ?? [],
        };
      },
    }),
    endpoint('GET /user/info', {
      access: 'any_key',
      group: 'info_routes',
      tag,
      summary: 'A user with keys and teams; without user_id the one whose key this is.',
      query: z.object({ user_id: identifier.optional() }),
      response: z.object({
        user_id: z.string().nullable(),
        user_info: userOutput.nullable(),
        keys: z.array(keyOutput),
        teams: z.array(teamOutput),
      }),
      async run({ actor, query }) {
        if (query.user_id === undefined && actor.principal.userId === null && seesEverything(actor))
          return { user_id: null, user_info: null, keys: [], teams: [] };
        const row = await readable(actor, query.user_id);
        const memberships = await plane.store.memberships.list({ where: { userId: row.id } });
        const [keys, teams] = await Promise.all([
          plane.store.keys.list({ where: { userId: row.id } }),
          plane.store.teams.many(memberships.map((member) => member.teamId)),
        ]);
        const figures = await keyFigures(plane, keys);
        return {
          user_id: row.id,
          user_info: await shownOne(row),
          keys: keys.map((key, index) => shownKey(key, figures[index]!)),
          teams: await shownTeams(plane, teams),
        };
      },
    }),
    endpoint('GET /v2/user/info', {
      access: 'any_key',
      group: 'info_routes',
      tag,
      summary: 'A user.',
      query: z.object({ user_id: identifier.optional() }),
      response: userOutput,
      run: async ({ actor, query }) => shownOne(await readable(actor, query.user_id)),
    }),
    endpoint('POST /user/update', {
      access: 'self_service',
      tag,
      summary: 'Change a user. Fields left out stay, null clears.',
      body: z.object({ ...userFields, user_id: identifier.nullish() }),
      response: z.object({ user_id: z.string(), data: userOutput }),
      async run({ actor, body }) {
        const row = await mutate(plane, actor, async (work) => {
          const columns = userColumns(body.user_id ? body : { ...body, user_email: undefined });
          const user = await findUser(work, body);
          if (user === undefined) throw notFound('user', body.user_id ?? body.user_email ?? '');
          await refuseTakenEmail(work, columns.email ?? null, user.id);
          await requireReferences(work, { budgetId: columns.budgetId ?? null });
          return work.update(userResource, user.id, columns);
        });
        return { user_id: row.id, data: await shownOne(row) };
      },
    }),
    endpoint('POST /user/bulk_update', {
      access: 'admin',
      tag,
      summary: 'Change many users, each on its own.',
      body: z.object({ users: z.array(z.object({ ...userFields, ...whoFields })).max(500) }),
      response: z.object({
        total_requested: z.number(),
        successful_updates: z.number(),
        failed_updates: z.number(),
        results: z.array(
          z.object({ user_id: z.string().nullable(), success: z.boolean(), error: z.string().nullable() }),
        ),
      }),
      async run({ actor, body }) {
        const results = [];
        for (const wanted of body.users) {
          try {
            await mutate(plane, actor, async (work) => {
              const user = await findUser(work, wanted);
              if (user === undefined) throw notFound('user', wanted.user_id ?? wanted.user_email ?? '');
              const columns = userColumns(wanted.user_id ? wanted : { ...wanted, user_email: undefined });
              await refuseTakenEmail(work, columns.email ?? null, user.id);
              return work.update(userResource, user.id, columns);
            });
            results.push({ user_id: wanted.user_id ?? null, success: true, error: null });
          } catch (error) {
            if (!(error instanceof GatewayError)) throw error;
            results.push({ user_id: wanted.user_id ?? null, success: false, error: error.message });
          }
        }
        const failed = results.filter((result) => !result.success).length;
        return {
          total_requested: results.length,
          successful_updates: results.length - failed,
          failed_updates: failed,
          results,
        };
      },
    }),
    endpoint('POST /user/delete', {
      access: 'admin',
      tag,
      summary: 'Delete users with their keys and memberships.',
      body: z.object({ user_ids: z.array(identifier).min(1).max(1_000) }),
      response: z.object({ deleted_users: z.array(z.string()), message: z.string() }),
      async run({ actor, body }) {
        await mutate(plane, actor, async (work) => {
          const found = new Set((await work.repositories.users.many(body.user_ids)).map((row) => row.id));
          const missing = body.user_ids.find((id) => !found.has(id));
          if (missing !== undefined) throw notFound('user', missing);
          return removeUsers(work, body.user_ids);
        });
        return { deleted_users: body.user_ids, message: 'Users deleted with their keys.' };
      },
    }),
    endpoint('GET /user/list', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'Users, a page at a time.',
      query: userListQuery,
      response: z.object({
        users: z.array(userOutput),
        total: z.number(),
        page: z.number(),
        page_size: z.number(),
        total_pages: z.number(),
      }),
      async run({ query }) {
        const members =
          query.team === undefined ? null : await plane.store.memberships.list({ where: { teamId: query.team } });
        const ids = query.user_ids ?? null;
        const inTeam = members?.map((member) => member.userId) ?? null;
        const wanted = ids === null ? inTeam : inTeam === null ? ids : ids.filter((id) => inTeam.includes(id));
        const filter = {
          where: {
            ...(wanted === null ? {} : { id: wanted }),
            ...(query.role === undefined ? {} : { role: query.role }),
          },
          like: query.user_email === undefined ? {} : { email: query.user_email },
        };
        const [rows, total] = await Promise.all([
          plane.store.users.list({
            ...filter,
            orderBy: query.sort_by === 'user_email' ? 'email' : query.sort_by === 'user_id' ? 'id' : 'createdAt',
            descending: query.sort_order === 'desc',
            offset: (query.page - 1) * query.page_size,
            limit: query.page_size,
          }),
          plane.store.users.count(filter),
        ]);
        return {
          users: await shownUsers(plane, rows),
          total,
          page: query.page,
          page_size: query.page_size,
          total_pages: Math.ceil(total / query.page_size),
        };
      },
    }),
    endpoint('GET /user/available_users', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'How many users there are; there is no licence limit.',
      response: z.object({
        total_users: z.number().nullable(),
        total_users_used: z.number(),
        total_users_remaining: z.number().nullable(),
      }),
      run: async () => ({
        total_users: null,
        total_users_used: await plane.store.users.count(),
        total_users_remaining: null,
      }),
    }),
  ];
}
