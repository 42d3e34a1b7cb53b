import type { ControlPlane } from '../../admin/control-plane.ts';
import type { SpendFigures } from '../../admin/spend.ts';
import { spendOf } from '../../admin/spend.ts';
import type { Scope } from '../../core/identity.ts';
import type { BudgetRecord, LimitColumns } from '../../core/store.ts';
import { sharedBudgets } from './key-figures.ts';
import { shownBudget, shownLimits } from './limit-fields.ts';

export interface LimitedRow extends LimitColumns {
  readonly id: string;
}

export interface LimitFigures extends SpendFigures {
  readonly shared: BudgetRecord | undefined;
}

/** Spend and shared budgets of rows that count under their own id in one scope; same order. */
export async function limitFigures(
  plane: ControlPlane,
  scope: Scope,
  rows: readonly LimitedRow[],
): Promise<LimitFigures[]> {
  const budgets = await sharedBudgets(plane, rows);
  const sharedOf = (row: LimitedRow) => (row.budgetId === null ? undefined : budgets.get(row.budgetId));
  const figures = await spendOf(
    plane,
    rows.map((row) => ({
      scope,
      id: row.id,
      cap: row.maxBudget ?? sharedOf(row)?.maxBudget ?? null,
      duration: row.budgetDuration ?? sharedOf(row)?.budgetDuration ?? null,
    })),
  );
  return rows.map((row, index) => ({ ...figures[index]!, shared: sharedOf(row) }));
}

/** LiteLLM tells the limits of customers, organizations and tags in a table of their own: the shared one, or the row's. */
export function shownBudgetTable(row: LimitedRow, figures: LimitFigures): Record<string, unknown> | null {
  if (figures.shared !== undefined) return shownBudget(figures.shared);
  const own = shownLimits(row);
  const limited = Object.values(own).some((value) => value !== null && !(typeof value === 'object' && isEmpty(value)));
  return limited ? { budget_id: null, ...own } : null;
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}
