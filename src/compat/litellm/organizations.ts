import { z } from 'zod';
import { seesEverything } from '../../admin/actor.ts';
import { authorize, notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { requireReferences } from '../../admin/key.ts';
import { organizationResource, removeOrganizations } from '../../admin/organization.ts';
import { mutate } from '../../admin/resource.ts';
import type { OrganizationRecord } from '../../core/store.ts';
import { extraFields, namedExtras, organizationExtras } from './extra-fields.ts';
import { flag, identifier, label, modelList, tree } from './fields.ts';
import { limitColumns, limitFields, noLimits, present } from './limit-fields.ts';
import { organizationOutput, shownOrganizations } from './organization-figures.ts';

const tag = 'organizations';

const fields = {
  ...extraFields(organizationExtras),
  ...limitFields,
  models: modelList.nullish(),
  metadata: tree.nullish(),
  blocked: flag.nullish(),
};
const newBody = z.object({ ...fields, organization_alias: label.min(1), organization_id: identifier.nullish() });
const changeBody = z.object({ ...fields, organization_alias: label.min(1).optional(), organization_id: identifier });

export function organizationEndpoints(plane: ControlPlane): Endpoint[] {
  const shownOne = async (row: OrganizationRecord) => (await shownOrganizations(plane, [row]))[0]!;
  return [
    endpoint('POST /organization/new', {
      access: 'admin',
      tag,
      summary: 'Create an organization.',
      body: newBody,
      response: organizationOutput,
      async run({ actor, body }) {
        const columns = organizationColumns(body);
        const row = await mutate(plane, actor, async (work) => {
          await requireReferences(work, { budgetId: columns.budgetId ?? null });
          return work.create(organizationResource, {
            ...noLimits,
            models: [],
            blocked: false,
            metadata: {},
            ...columns,
            extra: columns.extra ?? {},
            alias: body.organization_alias,
            id: body.organization_id ?? plane.chance.id(),
          });
        });
        return shownOne(row);
      },
    }),
    endpoint('PATCH /organization/update', {
      access: 'self_service',
      tag,
      summary: 'Change an organization. Fields left out stay, null clears.',
      body: changeBody,
      response: organizationOutput,
      async run({ actor, body }) {
        const columns = organizationColumns(body);
        const row = await mutate(plane, actor, async (work) => {
          await requireReferences(work, { budgetId: columns.budgetId ?? null });
          return work.update(organizationResource, body.organization_id, columns);
        });
        return shownOne(row);
      },
    }),
    endpoint('DELETE /organization/delete', {
      access: 'admin',
      tag,
      summary: 'Delete organizations with their teams, keys and memberships.',
      body: z.object({ organization_ids: z.array(identifier).min(1).max(100) }),
      response: z.array(organizationOutput),
      async run({ actor, body }) {
        const removed = await mutate(plane, actor, async (work) => {
          const found = new Set(
            (await work.repositories.organizations.many(body.organization_ids)).map((row) => row.id),
          );
          const missing = body.organization_ids.find((id) => !found.has(id));
          if (missing !== undefined) throw notFound('organization', missing);
          return removeOrganizations(work, body.organization_ids);
        });
        return shownOrganizations(plane, removed);
      },
    }),
    endpoint('GET /organization/list', {
      access: 'self_service',
      group: 'info_routes',
      tag,
      summary: 'Every organization one may see.',
      query: z.object({ org_id: identifier.optional(), org_alias: z.string().optional() }),
      response: z.array(organizationOutput),
      async run({ actor, query }) {
        const all = seesEverything(actor);
        const mine = [...actor.organizations];
        const id = query.org_id === undefined ? mine : mine.filter((one) => one === query.org_id);
        const where = all ? (query.org_id === undefined ? {} : { id: query.org_id }) : { id };
        const like = query.org_alias === undefined ? {} : { alias: query.org_alias };
        return shownOrganizations(
          plane,
          await plane.store.organizations.list({ where, like, orderBy: 'createdAt', limit: 10_000 }),
        );
      },
    }),
    endpoint('GET /organization/info', {
      access: 'self_service',
      group: 'info_routes',
      tag,
      summary: 'An organization with its teams and members.',
      query: z.object({ organization_id: identifier }),
      response: organizationOutput,
      async run({ actor, query }) {
        const row = await plane.store.organizations.get(query.organization_id);
        if (row === undefined) throw notFound('organization', query.organization_id);
        authorize(actor, 'read', organizationResource.ownership(row));
        return shownOne(row);
      },
    }),
  ];
}

function organizationColumns(
  body: z.output<typeof changeBody> | z.output<typeof newBody>,
): Partial<Omit<OrganizationRecord, 'id'>> {
  const extra = namedExtras(organizationExtras, body);
  return present({
    ...limitColumns(body),
    alias: body.organization_alias,
    models: body.models === null ? [] : body.models,
    metadata: body.metadata === null ? {} : body.metadata,
    blocked: body.blocked ?? undefined,
    extra: Object.keys(extra).length === 0 ? undefined : extra,
  }) as Partial<Omit<OrganizationRecord, 'id'>>;
}
