import type { ControlPlane } from '../../admin/control-plane.ts';
import { spendOf } from '../../admin/spend.ts';
import type { BudgetRecord, KeyRecord } from '../../core/store.ts';
import { keyAccountId } from '../../core/store.ts';
import type { KeyFigures } from './key-shape.ts';

/** Spend and shared budgets of many keys in a few reads; same order. */
export async function keyFigures(plane: ControlPlane, rows: readonly KeyRecord[]): Promise<KeyFigures[]> {
  const budgets = await sharedBudgets(plane, rows);
  const figures = await spendOf(
    plane,
    rows.map((row) => {
      const shared = row.budgetId === null ? undefined : budgets.get(row.budgetId);
      return {
        scope: 'key' as const,
        id: keyAccountId(row),
        cap: row.maxBudget ?? shared?.maxBudget ?? null,
        duration: row.budgetDuration ?? shared?.budgetDuration ?? null,
      };
    }),
  );
  return rows.map((row, index) => ({
    ...figures[index]!,
    budget: row.budgetId === null ? undefined : budgets.get(row.budgetId),
  }));
}

export async function sharedBudgets(
  plane: ControlPlane,
  rows: readonly { readonly budgetId: string | null }[],
): Promise<ReadonlyMap<string, BudgetRecord>> {
  const ids = [...new Set(rows.flatMap((row) => (row.budgetId === null ? [] : [row.budgetId])))];
  const budgets = ids.length === 0 ? [] : await plane.store.budgets.many(ids);
  return new Map(budgets.map((row) => [row.id, row]));
}
