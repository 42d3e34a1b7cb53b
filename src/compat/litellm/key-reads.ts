import { z } from 'zod';
import type { Actor } from '../../admin/actor.ts';
import { seesEverything } from '../../admin/actor.ts';
import { authorize, notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { keyIdOf, keyResource } from '../../admin/key.ts';
import { GatewayError } from '../../core/errors.ts';
import type { KeyRecord, ListQuery } from '../../core/store.ts';
import { flag, page } from './fields.ts';
import { keyFigures } from './key-figures.ts';
import { keyOutput, shownKey } from './key-shape.ts';

const tag = 'keys';

const listQuery = z.object({
  page: page.default(1),
  size: z.coerce.number().int().min(1).max(500).default(10),
  user_id: z.string().optional(),
  team_id: z.string().optional(),
  organization_id: z.string().optional(),
  key_hash: z.string().optional(),
  key_alias: z.string().optional(),
  substring_matching: flag.optional(),
  return_full_object: flag.optional(),
  include_team_keys: flag.optional(),
  include_created_by_keys: flag.optional(),
  status: z.string().optional(),
  sort_by: z.string().optional(),
  sort_order: z.enum(['asc', 'desc']).default('desc'),
});

const sortColumns: Readonly<Record<string, keyof KeyRecord & string>> = {
  created_at: 'createdAt',
  updated_at: 'updatedAt',
  key_alias: 'alias',
  key_name: 'name',
  expires: 'expiresAt',
  max_budget: 'maxBudget',
  team_id: 'teamId',
  user_id: 'userId',
  token: 'id',
};

export function keyReadEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    endpoint('GET /key/info', {
      access: 'any_key',
      group: 'info_routes',
      tag,
      summary: 'A key; without `key` the one the call is made with.',
      query: z.object({ key: z.string().max(512).optional() }),
      response: z.object({ key: z.string(), info: keyOutput }),
      async run({ actor, query }) {
        const given = query.key ?? actor.principal.keyId;
        const row = await plane.store.keys.get(keyIdOf(given));
        if (row === undefined) throw notFound('key', given);
        authorize(actor, 'read', keyResource.ownership(row));
        const [figures] = await keyFigures(plane, [row]);
        return { key: given, info: shownKey(row, figures!) };
      },
    }),
    endpoint('POST /v2/key/info', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'Several keys at once.',
      body: z.object({ keys: z.array(z.string().max(512)).max(500) }),
      response: z.object({ key: z.array(z.string()), info: z.array(keyOutput) }),
      async run({ body }) {
        const rows = await plane.store.keys.many(body.keys.map(keyIdOf));
        const figures = await keyFigures(plane, rows);
        return { key: body.keys, info: rows.map((row, index) => shownKey(row, figures[index]!)) };
      },
    }),
    endpoint('GET /key/list', {
      access: 'self_service',
      group: 'info_routes',
      tag,
      summary: 'Keys, a page at a time.',
      query: listQuery,
      response: z.object({
        keys: z.array(z.union([z.string(), keyOutput])),
        total_count: z.number(),
        current_page: z.number(),
        total_pages: z.number(),
      }),
      async run({ actor, query }) {
        const { rows, total } = await listed(plane, actor, query);
        const figures = query.return_full_object ? await keyFigures(plane, rows) : [];
        return {
          keys: query.return_full_object
            ? rows.map((row, index) => shownKey(row, figures[index]!))
            : rows.map((row) => row.id),
          total_count: total,
          current_page: query.page,
          total_pages: Math.ceil(total / query.size),
        };
      },
    }),
    endpoint('GET /key/aliases', {
      access: 'self_service',
      group: 'info_routes',
      tag,
      summary: 'Aliases of the keys one may see.',
      query: z.object({
        page: page.default(1),
        size: z.coerce.number().int().min(1).max(1_000).default(50),
        search: z.string().optional(),
      }),
      response: z.object({
        aliases: z.array(z.string()),
        total_count: z.number(),
        current_page: z.number(),
        total_pages: z.number(),
        size: z.number(),
      }),
      async run({ actor, query }) {
        const where = tenant(actor, undefined, undefined);
        const like = query.search === undefined ? {} : { alias: query.search };
        const rows = await plane.store.keys.list({ where, like, orderBy: 'alias' });
        const aliases = [...new Set(rows.flatMap((row) => (row.alias === null ? [] : [row.alias])))];
        return {
          aliases: aliases.slice((query.page - 1) * query.size, query.page * query.size),
          total_count: aliases.length,
          current_page: query.page,
          total_pages: Math.ceil(aliases.length / query.size),
          size: query.size,
        };
      },
    }),
    endpoint('POST /key/health', {
      access: 'any_key',
      group: 'info_routes',
      tag,
      summary: 'Whether the key of this call works.',
      response: z.object({
        key: z.enum(['healthy', 'unhealthy']),
        logging_callbacks: z.object({ callbacks: z.array(z.string()), status: z.string(), details: z.string() }),
      }),
      run: () => ({
        key: 'healthy',
        logging_callbacks: { callbacks: [], status: 'healthy', details: 'No logging callbacks are set on this key.' },
      }),
    }),
  ];
}

/** The part of the table an actor may list; administrators may narrow it freely. */
function tenant(actor: Actor, userId: string | undefined, teamId: string | undefined): ListQuery<KeyRecord>['where'] {
  const asked = { ...(userId === undefined ? {} : { userId }), ...(teamId === undefined ? {} : { teamId }) };
  if (seesEverything(actor)) return asked;
  if (teamId !== undefined && actor.teamsAdministered.has(teamId)) return asked;
  if (actor.principal.userId === null || (userId !== undefined && userId !== actor.principal.userId))
    throw new GatewayError(
      'route_denied',
      `User=${actor.name} may list its own keys and those of teams it administers.`,
    );
  return { ...asked, userId: actor.principal.userId };
}

async function listed(
  plane: ControlPlane,
  actor: Actor,
  query: z.output<typeof listQuery>,
): Promise<{ rows: KeyRecord[]; total: number }> {
  const alias = query.key_alias;
  const where = {
    ...tenant(actor, query.user_id, query.team_id),
    ...(query.organization_id === undefined ? {} : { organizationId: query.organization_id }),
    ...(query.key_hash === undefined ? {} : { id: keyIdOf(query.key_hash) }),
    ...(alias !== undefined && !query.substring_matching ? { alias } : {}),
    ...(query.status === 'blocked' ? { blocked: true } : {}),
  };
  const like = alias !== undefined && query.substring_matching ? { alias } : {};
  const orderBy = sortColumns[query.sort_by ?? 'created_at'] ?? 'createdAt';
  const descending = query.sort_order === 'desc';
  const offset = (query.page - 1) * query.size;
  const withTeams = query.include_team_keys && query.team_id === undefined && !seesEverything(actor);
  if (!withTeams || actor.teamsAdministered.size === 0) {
    const [rows, total] = await Promise.all([
      plane.store.keys.list({ where, like, orderBy, descending, offset, limit: query.size }),
      plane.store.keys.count({ where, like }),
    ]);
    return { rows, total };
  }
  const { userId: _own, ...ofTeams } = where;
  const [own, theirs] = await Promise.all([
    plane.store.keys.list({ where, like, orderBy, descending }),
    plane.store.keys.list({ where: { ...ofTeams, teamId: [...actor.teamsAdministered] }, like, orderBy, descending }),
  ]);
  const all = [...new Map([...own, ...theirs].map((row) => [row.id, row])).values()];
  return { rows: all.slice(offset, offset + query.size), total: all.length };
}
