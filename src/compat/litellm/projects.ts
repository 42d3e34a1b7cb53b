import { z } from 'zod';
import type { Actor } from '../../admin/actor.ts';
import { seesEverything } from '../../admin/actor.ts';
import { authorize, notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { requireReferences } from '../../admin/key.ts';
import { projectResource } from '../../admin/project.ts';
import { mutate } from '../../admin/resource.ts';
import { GatewayError } from '../../core/errors.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import type { ProjectRecord } from '../../core/store.ts';
import { limitFigures, shownBudgetTable } from './budget-table.ts';
import { extraFields, extraOutput, namedExtras, projectExtras, shownExtras } from './extra-fields.ts';
import { flag, identifier, isoTime, label, modelList, tree } from './fields.ts';
import {
  limitColumns,
  limitFields,
  limitOutput,
  noLimits,
  present,
  shownLimits,
  trackedOutput,
} from './limit-fields.ts';

const tag = 'projects';
const text = z.string().nullable();

const fields = {
  ...extraFields(projectExtras),
  ...limitFields,
  project_alias: label.nullish(),
  models: modelList.nullish(),
  metadata: tree.nullish(),
  blocked: flag.nullish(),
};
const changeBody = z.object({ ...fields, project_id: identifier });
const newBody = z.object({ ...fields, project_id: identifier.nullish(), team_id: identifier });

const projectOutput = z.object({
  project_id: z.string(),
  project_alias: text,
  team_id: z.string(),
  models: z.array(z.string()),
  metadata: z.record(z.string(), z.unknown()),
  blocked: z.boolean(),
  spend: z.number(),
  ...limitOutput,
  budget_id: text,
  budget_reset_at: text,
  litellm_budget_table: z.record(z.string(), z.unknown()).nullable(),
  ...trackedOutput,
  ...extraOutput(projectExtras),
});

/** Parts of teams, each with models and limits of its own; a key names one in `project_id`. */
export function projectEndpoints(plane: ControlPlane): Endpoint[] {
  const shown = async (rows: readonly ProjectRecord[]) => {
    const figures = await limitFigures(plane, 'project', rows);
    return rows.map((row, index) => ({
      project_id: row.id,
      project_alias: row.alias,
      team_id: row.teamId,
      models: row.models,
      metadata: row.metadata,
      blocked: row.blocked,
      spend: dollarsFromNanodollars(figures[index]!.spent),
      ...shownLimits(row),
      budget_id: row.budgetId,
      budget_reset_at: isoTime(figures[index]!.resetAt),
      litellm_budget_table: shownBudgetTable(row, figures[index]!),
      created_at: isoTime(row.createdAt),
      created_by: row.createdBy,
      updated_at: isoTime(row.updatedAt),
      updated_by: row.updatedBy,
      ...shownExtras(projectExtras, row.extra),
    }));
  };

  return [
    endpoint('POST /project/new', {
      access: 'self_service',
      tag,
      summary: 'Create a project in a team.',
      body: newBody,
      response: projectOutput,
      async run({ actor, body }) {
        const columns = projectColumns(body);
        const row = await mutate(plane, actor, async (work) => {
          await requireReferences(work, { teamId: body.team_id, budgetId: columns.budgetId ?? null });
          return work.create(projectResource, {
            ...noLimits,
            alias: null,
            models: [],
            blocked: false,
            metadata: {},
            ...columns,
            extra: columns.extra ?? {},
            teamId: body.team_id,
            id: body.project_id ?? plane.chance.id(),
          });
        });
        return (await shown([row]))[0]!;
      },
    }),
    endpoint('POST /project/update', {
      access: 'self_service',
      tag,
      summary: 'Change a project. Fields left out stay, null clears.',
      body: changeBody,
      response: projectOutput,
      async run({ actor, body }) {
        const columns = projectColumns(body);
        const row = await mutate(plane, actor, async (work) => {
          await requireReferences(work, { budgetId: columns.budgetId ?? null });
          return work.update(projectResource, body.project_id, columns);
        });
        return (await shown([row]))[0]!;
      },
    }),
    endpoint('DELETE /project/delete', {
      access: 'self_service',
      tag,
      summary: 'Delete projects; keys that name one are refused until they name none.',
      body: z.object({ project_ids: z.array(identifier).min(1).max(100) }),
      response: z.array(projectOutput),
      async run({ actor, body }) {
        const removed = await mutate(plane, actor, async (work) => {
          const found = new Set((await work.repositories.projects.many(body.project_ids)).map((row) => row.id));
          const missing = body.project_ids.find((id) => !found.has(id));
          if (missing !== undefined) throw notFound('project', missing);
          return work.remove(projectResource, body.project_ids);
        });
        return shown(removed);
      },
    }),
    endpoint('GET /project/info', {
      access: 'any_key',
      group: 'info_routes',
      tag,
      summary: 'A project with what it spent.',
      query: z.object({ project_id: identifier }),
      response: projectOutput,
      async run({ actor, query }) {
        const row = await plane.store.projects.get(query.project_id);
        if (row === undefined) throw notFound('project', query.project_id);
        authorize(actor, 'read', projectResource.ownership(row));
        return (await shown([row]))[0]!;
      },
    }),
    endpoint('GET /project/list', {
      access: 'any_key',
      group: 'info_routes',
      tag,
      summary: 'Every project one may see, or those of one team.',
      query: z.object({ team_id: identifier.optional() }),
      response: z.array(projectOutput),
      async run({ actor, query }) {
        const teamId = teamsSeen(actor, query.team_id);
        const where = teamId === null ? {} : { teamId };
        return shown(await plane.store.projects.list({ where, orderBy: 'createdAt', limit: 10_000 }));
      },
    }),
  ];
}

/** null = all. */
function teamsSeen(actor: Actor, asked: string | undefined): string[] | null {
  if (seesEverything(actor)) return asked === undefined ? null : [asked];
  const own = new Set([...actor.teams, ...actor.teamsAdministered]);
  if (actor.principal.teamId !== null) own.add(actor.principal.teamId);
  if (asked === undefined) return [...own];
  if (own.has(asked)) return [asked];
  throw new GatewayError('route_denied', `User=${actor.name} may list the projects of its own teams.`);
}

function projectColumns(
  body: z.output<typeof changeBody> | z.output<typeof newBody>,
): Partial<Omit<ProjectRecord, 'id' | 'teamId'>> {
  const extra = namedExtras(projectExtras, body);
  return present({
    ...limitColumns(body),
    alias: body.project_alias,
    models: body.models === null ? [] : body.models,
    metadata: body.metadata === null ? {} : body.metadata,
    blocked: body.blocked ?? undefined,
    extra: Object.keys(extra).length === 0 ? undefined : extra,
  }) as Partial<Omit<ProjectRecord, 'id' | 'teamId'>>;
}
