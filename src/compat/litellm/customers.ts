import { z } from 'zod';
import { notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { endUserResource } from '../../admin/end-user.ts';
import { requireReferences } from '../../admin/key.ts';
import { mutate } from '../../admin/resource.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import type { EndUserRecord } from '../../core/store.ts';
import { limitFigures, shownBudgetTable } from './budget-table.ts';
import { endUserExtras, extraFields, namedExtras, shownExtras } from './extra-fields.ts';
import { flag, identifier, label } from './fields.ts';
import { limitColumns, limitFields, noLimits, present } from './limit-fields.ts';

const tag = 'customers';

const fields = {
  ...extraFields(endUserExtras),
  ...limitFields,
  alias: label.nullish(),
  blocked: flag.nullish(),
  allowed_model_region: z.enum(['eu', 'us']).nullish(),
  default_model: label.nullish(),
};
const customerBody = z.object({ ...fields, user_id: identifier });

const customerOutput = z.object({
  user_id: z.string(),
  blocked: z.boolean(),
  alias: z.string().nullable(),
  spend: z.number(),
  allowed_model_region: z.string().nullable(),
  default_model: z.string().nullable(),
  budget_id: z.string().nullable(),
  litellm_budget_table: z.record(z.string(), z.unknown()).nullable(),
  object_permission: z.unknown(),
});

const blank: Omit<EndUserRecord, 'id' | 'createdAt' | 'updatedAt' | 'createdBy' | 'updatedBy'> = {
  ...noLimits,
  alias: null,
  blocked: false,
  allowedModelRegion: null,
  defaultModel: null,
  extra: {},
};

/** `/customer/…`, also as `/end_user/…`. */
export function customerEndpoints(plane: ControlPlane): Endpoint[] {
  const shown = async (rows: readonly EndUserRecord[]) => {
    const figures = await limitFigures(plane, 'end_user', rows);
    return rows.map((row, index) => ({
      user_id: row.id,
      blocked: row.blocked,
      alias: row.alias,
      spend: dollarsFromNanodollars(figures[index]!.spent),
      allowed_model_region: row.allowedModelRegion,
      default_model: row.defaultModel,
      budget_id: row.budgetId,
      litellm_budget_table: shownBudgetTable(row, figures[index]!),
      ...shownExtras(endUserExtras, row.extra),
    }));
  };
  const setBlocked = (blocked: boolean) =>
    endpoint(`POST /customer/${blocked ? 'block' : 'unblock'}`, {
      aliases: [`/end_user/${blocked ? 'block' : 'unblock'}`],
      access: 'admin',
      tag,
      summary: blocked ? 'Refuse requests that name these customers.' : 'Accept requests of blocked customers again.',
      body: z.object({ user_ids: z.array(identifier).min(1).max(1_000) }),
      response: z.object({ blocked_users: z.array(customerOutput) }),
      async run({ actor, body }) {
        const rows = await mutate(plane, actor, async (work) => {
          const changed = [];
          for (const id of new Set(body.user_ids)) {
            const known = (await work.repositories.endUsers.get(id)) !== undefined;
            if (!known && !blocked) throw notFound('customer', id);
            if (!known) await work.create(endUserResource, { ...blank, id });
            changed.push(await work.update(endUserResource, id, { blocked }, blocked ? 'blocked' : 'unblocked'));
          }
          return changed;
        });
        return { blocked_users: (await shown(rows)).filter((row) => row.blocked) };
      },
    });

  return [
    endpoint('POST /customer/new', {
      aliases: ['/end_user/new'],
      access: 'admin',
      tag,
      summary: 'Create a customer with limits of its own.',
      body: customerBody,
      response: customerOutput,
      async run({ actor, body }) {
        const row = await mutate(plane, actor, async (work) => {
          const columns = customerColumns(body);
          await requireReferences(work, { budgetId: columns.budgetId ?? null });
          return work.create(endUserResource, { ...blank, ...columns, extra: columns.extra ?? {}, id: body.user_id });
        });
        return (await shown([row]))[0];
      },
    }),
    endpoint('POST /customer/update', {
      aliases: ['/end_user/update'],
      access: 'admin',
      tag,
      summary: 'Change a customer. Fields left out stay, null clears.',
      body: customerBody,
      response: customerOutput,
      async run({ actor, body }) {
        const row = await mutate(plane, actor, async (work) => {
          const columns = customerColumns(body);
          await requireReferences(work, { budgetId: columns.budgetId ?? null });
          return work.update(endUserResource, body.user_id, columns);
        });
        return (await shown([row]))[0];
      },
    }),
    endpoint('POST /customer/delete', {
      aliases: ['/end_user/delete'],
      access: 'admin',
      tag,
      summary: 'Forget customers; what they spent stays on record.',
      body: z.object({ user_ids: z.array(identifier).min(1).max(1_000) }),
      response: z.object({ deleted_customers: z.number(), message: z.string() }),
      async run({ actor, body }) {
        const removed = await mutate(plane, actor, async (work) => {
          const found = new Set((await work.repositories.endUsers.many(body.user_ids)).map((row) => row.id));
          const missing = body.user_ids.find((id) => !found.has(id));
          if (missing !== undefined) throw notFound('customer', missing);
          return work.remove(endUserResource, body.user_ids);
        });
        return {
          deleted_customers: removed.length,
          message: `Successfully deleted customers with ids: ${removed.map((row) => row.id).join(', ')}`,
        };
      },
    }),
    endpoint('GET /customer/info', {
      aliases: ['/end_user/info'],
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'A customer with spend and limits.',
      query: z.object({ end_user_id: identifier }),
      response: customerOutput,
      async run({ query }) {
        const id = query.end_user_id;
        const row = await plane.store.endUsers.get(id);
        if (row !== undefined) return (await shown([row]))[0];
        // Nobody made it, but requests may have named it.
        const now = plane.clock.now();
        const stamp = { createdAt: now, updatedAt: now, createdBy: '', updatedBy: '' };
        const [seen] = await shown([{ ...blank, ...stamp, id }]);
        if (seen!.spend === 0) throw notFound('customer', id);
        return seen;
      },
    }),
    endpoint('GET /customer/list', {
      aliases: ['/end_user/list'],
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'Every customer that has a record.',
      response: z.array(customerOutput),
      run: async () => shown(await plane.store.endUsers.list({ orderBy: 'createdAt', limit: 10_000 })),
    }),
    setBlocked(true),
    setBlocked(false),
  ];
}

function customerColumns(body: z.output<typeof customerBody>): Partial<EndUserRecord> {
  const extra = namedExtras(endUserExtras, body);
  return present({
    ...limitColumns(body),
    alias: body.alias,
    blocked: body.blocked ?? undefined,
    allowedModelRegion: body.allowed_model_region,
    defaultModel: body.default_model,
    extra: Object.keys(extra).length === 0 ? undefined : extra,
  }) as Partial<EndUserRecord>;
}
