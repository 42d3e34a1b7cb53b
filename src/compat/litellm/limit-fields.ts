import { z } from 'zod';
import type { BudgetRecord, LimitColumns } from '../../core/store.ts';
import { budgetDuration, count, dollars, identifier, inDollars, isoTime, tree } from './fields.ts';

const oneBudget = z.looseObject({
  max_budget: dollars.nullish(),
  budget_limit: dollars.nullish(),
  budget_duration: budgetDuration.nullish(),
  time_period: budgetDuration.nullish(),
  rpm_limit: count.nullish(),
  tpm_limit: count.nullish(),
});

/** Checked, and kept as written. */
function asWritten<Value extends z.ZodType>(value: Value) {
  return (written: unknown, context: z.RefinementCtx): void => {
    for (const issue of value.safeParse(written).error?.issues ?? []) {
      context.addIssue({ code: 'custom', message: issue.message, path: issue.path });
    }
  };
}

/** Budgets by model: an amount, or a map with the window and rates. */
const modelBudgets = tree.superRefine(checkEach);

function checkEach(models: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void {
  for (const [model, written] of Object.entries(models)) {
    const schema = typeof written === 'object' && written !== null ? oneBudget : dollars;
    for (const { message, path } of schema.safeParse(written).error?.issues ?? []) {
      context.addIssue({ code: 'custom', message, path: [model, ...path] });
    }
  }
}

/** More windows at once, each with a cap of its own. */
export const budgetWindows = z.array(z.unknown()).superRefine(asWritten(z.array(oneBudget)));

/** Body fields of everything that has limits. `max_budget_usd` is another spelling of `max_budget`. */
export const limitFields = {
  max_budget: dollars.nullish(),
  max_budget_usd: dollars.nullish(),
  soft_budget: dollars.nullish(),
  budget_duration: budgetDuration.nullish(),
  budget_id: identifier.nullish(),
  tpm_limit: count.nullish(),
  rpm_limit: count.nullish(),
  max_parallel_requests: count.nullish(),
  model_max_budget: modelBudgets.nullish(),
};

const limitBody = z.object(limitFields);
export type LimitBody = z.output<typeof limitBody>;

/** The columns that the body names; what it leaves out is left out here, so that an update keeps it. */
export function limitColumns(body: LimitBody): Partial<LimitColumns> {
  const budget = body.max_budget !== undefined ? body.max_budget : body.max_budget_usd;
  const columns = {
    maxBudget: budget,
    softBudget: body.soft_budget,
    budgetDuration: body.budget_duration,
    budgetId: body.budget_id,
    tpmLimit: body.tpm_limit,
    rpmLimit: body.rpm_limit,
    maxParallelRequests: body.max_parallel_requests,
    modelLimits: body.model_max_budget === null ? {} : body.model_max_budget,
  };
  return present(columns) as Partial<LimitColumns>;
}

export const noLimits: LimitColumns = {
  maxBudget: null,
  softBudget: null,
  budgetDuration: null,
  rpmLimit: null,
  tpmLimit: null,
  maxParallelRequests: null,
  modelLimits: {},
  budgetId: null,
};

export function present<Fields extends object>(fields: Fields): Partial<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<Fields>;
}

/** The limits of a row as they leave. */
export function shownLimits(row: Omit<LimitColumns, 'budgetId'>) {
  return {
    max_budget: inDollars(row.maxBudget),
    soft_budget: inDollars(row.softBudget),
    budget_duration: row.budgetDuration,
    tpm_limit: row.tpmLimit,
    rpm_limit: row.rpmLimit,
    max_parallel_requests: row.maxParallelRequests,
    model_max_budget: row.modelLimits,
  };
}

export function shownBudget(row: BudgetRecord) {
  return {
    budget_id: row.id,
    ...shownLimits(row),
    created_at: isoTime(row.createdAt),
    created_by: row.createdBy,
    updated_at: isoTime(row.updatedAt),
    updated_by: row.updatedBy,
  };
}

const optionalNumber = z.number().nullable();

/** What leaves, for the contract. */
export const limitOutput = {
  max_budget: optionalNumber,
  soft_budget: optionalNumber,
  budget_duration: z.string().nullable(),
  tpm_limit: optionalNumber,
  rpm_limit: optionalNumber,
  max_parallel_requests: optionalNumber,
  model_max_budget: z.record(z.string(), z.unknown()),
};

export const trackedOutput = {
  created_at: z.string().nullable(),
  created_by: z.string().nullable(),
  updated_at: z.string().nullable(),
  updated_by: z.string().nullable(),
};

export const budgetOutput = z.object({ budget_id: z.string(), ...limitOutput, ...trackedOutput });
