import type { ControlPlane } from '../../admin/control-plane.ts';
import { spendOf } from '../../admin/spend.ts';
import type { UserRecord } from '../../core/store.ts';
import { sharedBudgets } from './key-figures.ts';
import { shownUser } from './user-shape.ts';

/** Users with teams, keys and spend, in a few reads whatever their number. */
export async function shownUsers(plane: ControlPlane, rows: readonly UserRecord[]) {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const [memberships, budgets, keyCounts] = await Promise.all([
    plane.store.memberships.list({ where: { userId: ids } }),
    sharedBudgets(plane, rows),
    Promise.all(ids.map((userId) => plane.store.keys.count({ where: { userId } }))),
  ]);
  const figures = await spendOf(
    plane,
    rows.map((row) => {
      const shared = row.budgetId === null ? undefined : budgets.get(row.budgetId);
      return {
        scope: 'user' as const,
        id: row.id,
        cap: row.maxBudget ?? shared?.maxBudget ?? null,
        duration: row.budgetDuration ?? shared?.budgetDuration ?? null,
      };
    }),
  );
  return rows.map((row, index) =>
    shownUser(row, {
      ...figures[index]!,
      teams: memberships.filter((member) => member.userId === row.id).map((member) => member.teamId),
      keyCount: keyCounts[index]!,
    }),
  );
}
