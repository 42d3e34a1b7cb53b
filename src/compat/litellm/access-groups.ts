import { z } from 'zod';
import type { Assignment } from '../../admin/access-group.ts';
import { accessGroupResource, assign, assignmentOf, requireSoundGroup } from '../../admin/access-group.ts';
import type { Actor } from '../../admin/actor.ts';
import { notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { mutate } from '../../admin/resource.ts';
import { GatewayError } from '../../core/errors.ts';
import type { AccessGroupRecord } from '../../core/store.ts';
import { identifier, isoTime, label, modelList } from './fields.ts';

const tag = 'access groups';
const text = z.string().nullable();
const ids = z.array(identifier).max(10_000);

const membersBody = { model_names: modelList.nullish(), model_ids: ids.nullish() };

const namedOutput = z.object({
  access_group: z.string(),
  model_names: z.array(z.string()),
  model_ids: z.array(z.string()),
  deployment_count: z.number(),
  from_config: z.boolean().describe('true when deployments of the configuration put themselves into it'),
});

const groupBody = {
  description: z.string().max(4_000).nullish(),
  access_model_names: modelList.nullish(),
  access_mcp_server_ids: ids.nullish(),
  access_agent_ids: ids.nullish(),
  assigned_team_ids: ids.nullish(),
  assigned_key_ids: z.array(z.string().min(1).max(512)).max(10_000).nullish(),
};
type GroupBody = z.output<z.ZodObject<typeof groupBody>>;

const groupOutput = z.object({
  access_group_id: z.string(),
  access_group_name: z.string(),
  description: text,
  access_model_names: z.array(z.string()),
  access_mcp_server_ids: z.array(z.string()),
  access_agent_ids: z.array(z.string()),
  assigned_team_ids: z.array(z.string()),
  assigned_key_ids: z.array(z.string()),
  created_at: text,
  created_by: text,
  updated_at: text,
  updated_by: text,
});

const emptyGroup = { description: null, models: [], deployments: [], extra: {} };

/** Models under one name: by name alone, or as objects that are given to teams and keys. */
export function accessGroupEndpoints(plane: ControlPlane): Endpoint[] {
  return [...namedEndpoints(plane), ...objectEndpoints(plane)];
}

function namedEndpoints(plane: ControlPlane): Endpoint[] {
  const shown = (name: string) => {
    const { accessGroups, deployments } = plane.snapshot();
    const models = accessGroups.get(name) ?? [];
    const own = [...deployments.values()].filter((one) => one.accessGroups.includes(name));
    return {
      access_group: name,
      model_names: [...models],
      model_ids: own.map((one) => one.id),
      deployment_count: [...deployments.values()].filter((one) => models.includes(one.group)).length,
      from_config: own.length > 0,
    };
  };

  return [
    endpoint('POST /access_group/new', {
      access: 'admin',
      tag,
      summary: 'Put models under one name, which may stand in the model lists of keys and teams.',
      body: z.object({ access_group: label.min(1), ...membersBody }),
      response: namedOutput,
      async run({ actor, body }) {
        const { access_group: name } = body;
        if (plane.snapshot().accessGroups.has(name) || (await rowNamed(plane, name)) !== undefined) {
          throw new GatewayError('malformed_request', `Access group '${name}' exists already.`, {
            param: 'access_group',
          });
        }
        const draft = { ...emptyGroup, name, models: body.model_names ?? [], deployments: body.model_ids ?? [] };
        if (draft.models.length + draft.deployments.length === 0) throw nothingNamed();
        requireSoundGroup(plane.snapshot(), draft);
        await mutate(plane, actor, (work) => work.create(accessGroupResource, { ...draft, id: plane.chance.id() }));
        await plane.reloadModels();
        return shown(name);
      },
    }),
    endpoint('PUT /access_group/{access_group}/update', {
      access: 'admin',
      tag,
      summary: 'Put other models under the name.',
      body: z.object(membersBody),
      response: namedOutput,
      async run({ actor, body, params }) {
        const row = await mustFindNamed(plane, params.access_group!);
        const changes = { models: body.model_names ?? [], deployments: body.model_ids ?? [] };
        if (changes.models.length + changes.deployments.length === 0) throw nothingNamed();
        requireSoundGroup(plane.snapshot(), { ...row, ...changes });
        await mutate(plane, actor, (work) => work.update(accessGroupResource, row.id, changes));
        await plane.reloadModels();
        return shown(row.name);
      },
    }),
    endpoint('DELETE /access_group/{access_group}/delete', {
      access: 'admin',
      tag,
      summary: 'Forget the name; lists that hold it no longer allow its models by it.',
      response: z.object({ access_group: z.string(), message: z.string() }),
      async run({ actor, params }) {
        const row = await mustFindNamed(plane, params.access_group!);
        await removeGroup(plane, actor, row);
        return { access_group: row.name, message: `Access group '${row.name}' deleted successfully` };
      },
    }),
    endpoint('GET /access_group/{access_group}/info', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'The models of a group.',
      response: namedOutput,
      run({ params }) {
        if (!plane.snapshot().accessGroups.has(params.access_group!))
          throw notFound('access group', params.access_group!);
        return shown(params.access_group!);
      },
    }),
    endpoint('GET /access_group/list', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'Every group, also those that deployments of the configuration make.',
      response: z.object({ access_groups: z.array(namedOutput) }),
      async run() {
        const rows = await plane.store.accessGroups.list({ limit: 10_000 });
        const idsOfRows = new Set(rows.map((row) => row.id));
        const names = [...plane.snapshot().accessGroups.keys()].filter((name) => !idsOfRows.has(name));
        return { access_groups: names.sort().map(shown) };
      },
    }),
  ];
}

function objectEndpoints(plane: ControlPlane): Endpoint[] {
  const find = async (id: string) => {
    const row = await plane.store.accessGroups.get(id);
    if (row === undefined) throw notFound('access group', id);
    return row;
  };
  return [
    endpoint('POST /v1/access_group', {
      access: 'admin',
      tag,
      summary: 'Create a group and give it to teams and keys.',
      body: z.object({ ...groupBody, access_group_name: label.min(1) }),
      response: groupOutput,
      async run({ actor, body }) {
        const name = body.access_group_name;
        if ((await rowNamed(plane, name)) !== undefined)
          throw new GatewayError('malformed_request', `Access group '${name}' exists already.`, {
            param: 'access_group_name',
          });
        const draft = { ...emptyGroup, name, id: plane.chance.id(), ...columnsOf(body) };
        requireSoundGroup(plane.snapshot(), draft);
        const row = await mutate(plane, actor, async (work) => {
          const made = await work.create(accessGroupResource, draft);
          await assign(work, made.id, nobody, assignmentOf(made));
          return made;
        });
        await plane.reloadModels();
        return shownGroup(row);
      },
    }),
    endpoint('GET /v1/access_group', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'Every group that is kept in the store.',
      response: z.array(groupOutput),
      run: async () => (await plane.store.accessGroups.list({ orderBy: 'name', limit: 10_000 })).map(shownGroup),
    }),
    endpoint('GET /v1/access_group/{access_group_id}', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'One group.',
      response: groupOutput,
      run: async ({ params }) => shownGroup(await find(params.access_group_id!)),
    }),
    endpoint('PUT /v1/access_group/{access_group_id}', {
      access: 'admin',
      tag,
      summary: 'Change a group. Fields left out stay.',
      body: z.object({ ...groupBody, access_group_name: label.min(1).nullish() }),
      response: groupOutput,
      async run({ actor, body, params }) {
        const old = await find(params.access_group_id!);
        const columns = columnsOf(body);
        const changes = { ...columns, ...(body.access_group_name ? { name: body.access_group_name } : {}) };
        requireSoundGroup(plane.snapshot(), { ...old, ...changes });
        const row = await mutate(plane, actor, async (work) => {
          const changed = await work.update(accessGroupResource, old.id, changes);
          await assign(work, old.id, assignmentOf(old), assignmentOf(changed));
          return changed;
        });
        await plane.reloadModels();
        return shownGroup(row);
      },
    }),
    endpoint('DELETE /v1/access_group/{access_group_id}', {
      access: 'admin',
      tag,
      summary: 'Delete a group and take it from teams and keys.',
      response: z.object({ message: z.string() }),
      async run({ actor, params }) {
        const row = await find(params.access_group_id!);
        await removeGroup(plane, actor, row);
        return { message: `Access group '${row.name}' deleted successfully` };
      },
    }),
  ];
}

const nobody: Assignment = { teamIds: [], keyIds: [] };

async function removeGroup(plane: ControlPlane, actor: Actor, row: AccessGroupRecord): Promise<void> {
  await mutate(plane, actor, async (work) => {
    await assign(work, row.id, assignmentOf(row), nobody);
    await work.remove(accessGroupResource, [row.id]);
  });
  await plane.reloadModels();
}

async function rowNamed(plane: ControlPlane, name: string): Promise<AccessGroupRecord | undefined> {
  return (await plane.store.accessGroups.list({ where: { name }, limit: 1 }))[0];
}

async function mustFindNamed(plane: ControlPlane, name: string): Promise<AccessGroupRecord> {
  const row = await rowNamed(plane, name);
  if (row !== undefined) return row;
  if (!plane.snapshot().accessGroups.has(name)) throw notFound('access group', name);
  throw new GatewayError(
    'malformed_request',
    `Access group '${name}' comes from the configuration: change model_info.access_groups of its deployments there.`,
    { param: 'access_group' },
  );
}

function nothingNamed(): GatewayError {
  return new GatewayError('malformed_request', 'Name models in model_names, or deployments in model_ids.', {
    param: 'model_names',
  });
}

function columnsOf(body: GroupBody): Partial<AccessGroupRecord> & { extra: AccessGroupRecord['extra'] } {
  const { access_mcp_server_ids, access_agent_ids, assigned_team_ids, assigned_key_ids } = body;
  const lists = { access_mcp_server_ids, access_agent_ids, assigned_team_ids, assigned_key_ids };
  const given = Object.entries(lists).filter(([, list]) => list !== undefined);
  return {
    ...(body.description === undefined ? {} : { description: body.description }),
    ...(body.access_model_names === undefined ? {} : { models: body.access_model_names ?? [] }),
    extra: Object.fromEntries(given.map(([name, list]) => [name, list ?? []])),
  };
}

function shownGroup(row: AccessGroupRecord) {
  const listOf = (name: string) => (Array.isArray(row.extra[name]) ? row.extra[name].map(String) : []);
  const { teamIds, keyIds } = assignmentOf(row);
  return {
    access_group_id: row.id,
    access_group_name: row.name,
    description: row.description,
    access_model_names: row.models,
    access_mcp_server_ids: listOf('access_mcp_server_ids'),
    access_agent_ids: listOf('access_agent_ids'),
    assigned_team_ids: [...teamIds],
    assigned_key_ids: [...keyIds],
    created_at: isoTime(row.createdAt),
    created_by: row.createdBy,
    updated_at: isoTime(row.updatedAt),
    updated_by: row.updatedBy,
  };
}
