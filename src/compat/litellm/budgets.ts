import { z } from 'zod';
import { notFound } from '../../admin/authorize.ts';
import { budgetResource, refuseBudgetInUse } from '../../admin/budget.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { mutate } from '../../admin/resource.ts';
import { GatewayError } from '../../core/errors.ts';
import type { BudgetRecord } from '../../core/store.ts';
import { identifier } from './fields.ts';
import { budgetOutput, limitColumns, limitFields, noLimits, shownBudget } from './limit-fields.ts';

const tag = 'budgets';
const budgetBody = z.object({ ...limitFields, budget_id: identifier.nullish() });

export function budgetEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    endpoint('POST /budget/new', {
      access: 'admin',
      tag,
      summary: 'Create a budget that keys, teams, customers and others can share the figures of.',
      body: budgetBody,
      response: budgetOutput,
      async run({ actor, body }) {
        const { budgetId: _none, ...blank } = noLimits;
        const row = { ...blank, ...budgetColumns(body), id: body.budget_id ?? plane.chance.id(), extra: {} };
        return shownBudget(await mutate(plane, actor, (work) => work.create(budgetResource, row)));
      },
    }),
    endpoint('POST /budget/update', {
      access: 'admin',
      tag,
      summary: 'Change a shared budget. Fields left out stay, null clears.',
      body: budgetBody,
      response: budgetOutput,
      async run({ actor, body }) {
        const id = body.budget_id;
        if (!id) throw new GatewayError('malformed_request', 'budget_id is required.', { param: 'budget_id' });
        return shownBudget(await mutate(plane, actor, (work) => work.update(budgetResource, id, budgetColumns(body))));
      },
    }),
    endpoint('POST /budget/delete', {
      access: 'admin',
      tag,
      summary: 'Delete a shared budget that nothing refers to any more.',
      body: z.object({ id: identifier }),
      response: budgetOutput,
      async run({ actor, body }) {
        const [row] = await mutate(plane, actor, async (work) => {
          await refuseBudgetInUse(work, body.id);
          return work.remove(budgetResource, [body.id]);
        });
        if (row === undefined) throw notFound('budget', body.id);
        return shownBudget(row);
      },
    }),
    endpoint('POST /budget/info', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'Budgets by id.',
      body: z.object({ budgets: z.array(identifier).min(1).max(1_000) }),
      response: z.array(budgetOutput),
      run: async ({ body }) => (await plane.store.budgets.many(body.budgets)).map(shownBudget),
    }),
    endpoint('GET /budget/list', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'Every shared budget.',
      response: z.array(budgetOutput),
      run: async () => (await plane.store.budgets.list({ orderBy: 'createdAt', limit: 10_000 })).map(shownBudget),
    }),
    endpoint('GET /budget/settings', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'The fields of a budget with their values.',
      query: z.object({ budget_id: identifier }),
      response: z.array(
        z.object({
          field_name: z.string(),
          field_type: z.string(),
          field_description: z.string(),
          field_value: z.unknown(),
          stored_in_db: z.boolean(),
        }),
      ),
      async run({ query }) {
        const row = await plane.store.budgets.get(query.budget_id);
        if (row === undefined) throw notFound('budget', query.budget_id);
        const shown = shownBudget(row) as Readonly<Record<string, unknown>>;
        return described.map(([name, type, description]) => ({
          field_name: name,
          field_type: type,
          field_description: description,
          field_value: shown[name] ?? null,
          stored_in_db: shown[name] !== null,
        }));
      },
    }),
  ];
}

const described = [
  ['max_budget', 'Float', 'US dollars that may be spent in one window'],
  ['soft_budget', 'Float', 'US dollars after which an alert is raised'],
  ['budget_duration', 'String', 'length of the window'],
  ['max_parallel_requests', 'Integer', 'requests at the same time'],
  ['tpm_limit', 'Integer', 'tokens per minute'],
  ['rpm_limit', 'Integer', 'requests per minute'],
  ['model_max_budget', 'Object', 'limits per model'],
] as const;

function budgetColumns(body: z.output<typeof budgetBody>): Partial<Omit<BudgetRecord, 'id'>> {
  const { budgetId: _own, ...columns } = limitColumns(body);
  return columns;
}
