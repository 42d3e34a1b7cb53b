import { z } from 'zod';
import { notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { requireReferences } from '../../admin/key.ts';
import { mutate } from '../../admin/resource.ts';
import { tagResource } from '../../admin/tag.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import type { TagRecord } from '../../core/store.ts';
import { limitFigures, shownBudgetTable } from './budget-table.ts';
import { identifier, isoTime, modelList } from './fields.ts';
import { limitColumns, limitFields, limitOutput, noLimits, present, shownLimits } from './limit-fields.ts';

const tag = 'tags';
const tagBody = z.object({
  ...limitFields,
  name: identifier,
  description: z.string().max(4_000).nullish(),
  models: modelList.nullish(),
});

const tagOutput = z.object({
  name: z.string(),
  description: z.string().nullable(),
  models: z.array(z.string()),
  spend: z.number(),
  ...limitOutput,
  budget_id: z.string().nullable(),
  litellm_budget_table: z.record(z.string(), z.unknown()).nullable(),
  created_at: z.string().nullable(),
  updated_at: z.string().nullable(),
  created_by: z.string().nullable(),
});

export function tagEndpoints(plane: ControlPlane): Endpoint[] {
  const shown = async (rows: readonly TagRecord[]) => {
    const figures = await limitFigures(plane, 'tag', rows);
    return rows.map((row, index) => ({
      name: row.id,
      description: row.description,
      models: row.models,
      spend: dollarsFromNanodollars(figures[index]!.spent),
      ...shownLimits(row),
      budget_id: row.budgetId,
      litellm_budget_table: shownBudgetTable(row, figures[index]!),
      created_at: isoTime(row.createdAt),
      updated_at: isoTime(row.updatedAt),
      created_by: row.createdBy,
    }));
  };
  const answer = async (row: TagRecord, verb: string) => ({
    message: `Tag ${row.id} ${verb} successfully`,
    tag: (await shown([row]))[0],
  });
  const changed = z.object({ message: z.string(), tag: tagOutput });

  return [
    endpoint('POST /tag/new', {
      access: 'admin',
      tag,
      summary: 'Create a tag with limits of its own.',
      body: tagBody,
      response: changed,
      async run({ actor, body }) {
        const columns = tagColumns(body);
        const row = await mutate(plane, actor, async (work) => {
          await requireReferences(work, { budgetId: columns.budgetId ?? null });
          return work.create(tagResource, {
            ...noLimits,
            description: null,
            models: [],
            ...columns,
            id: body.name,
            extra: {},
          });
        });
        return answer(row, 'created');
      },
    }),
    endpoint('POST /tag/update', {
      access: 'admin',
      tag,
      summary: 'Change a tag. Fields left out stay, null clears.',
      body: tagBody,
      response: changed,
      async run({ actor, body }) {
        const columns = tagColumns(body);
        const row = await mutate(plane, actor, async (work) => {
          await requireReferences(work, { budgetId: columns.budgetId ?? null });
          return work.update(tagResource, body.name, columns);
        });
        return answer(row, 'updated');
      },
    }),
    endpoint('POST /tag/delete', {
      access: 'admin',
      tag,
      summary: 'Forget a tag; what was spent under it stays on record.',
      body: z.object({ name: identifier }),
      response: z.object({ message: z.string() }),
      async run({ actor, body }) {
        const [row] = await mutate(plane, actor, (work) => work.remove(tagResource, [body.name]));
        if (row === undefined) throw notFound('tag', body.name);
        return { message: `Tag ${row.id} deleted successfully` };
      },
    }),
    endpoint('POST /tag/info', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'Tags by name.',
      body: z.object({ names: z.array(identifier).min(1).max(1_000) }),
      response: z.record(z.string(), tagOutput),
      async run({ body }) {
        const rows = await shown(await plane.store.tags.many(body.names));
        return Object.fromEntries(rows.map((row) => [row.name, row]));
      },
    }),
    endpoint('GET /tag/list', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'Every tag that has a record.',
      response: z.array(tagOutput),
      run: async () => shown(await plane.store.tags.list({ orderBy: 'createdAt', limit: 10_000 })),
    }),
    endpoint('GET /tag/distinct', {
      access: 'admin_read',
      group: 'spend_tracking_routes',
      tag,
      summary: 'Names of all tags that requests carried.',
      response: z.object({ results: z.array(z.object({ tag: z.string() })) }),
      async run() {
        const sums = await plane.store.usage.summarize({}, ['tag']);
        return { results: sums.flatMap((sum) => (sum.group.tag ? [{ tag: sum.group.tag }] : [])) };
      },
    }),
  ];
}

function tagColumns(body: z.output<typeof tagBody>): Partial<TagRecord> {
  return present({
    ...limitColumns(body),
    description: body.description,
    models: body.models === null ? [] : body.models,
  }) as Partial<TagRecord>;
}
