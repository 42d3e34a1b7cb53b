import type { ControlPlane } from '../../admin/control-plane.ts';
import { spendOf } from '../../admin/spend.ts';
import type { TeamRecord } from '../../core/store.ts';
import { sharedBudgets } from './key-figures.ts';
import { shownMembership, shownTeam } from './team-shape.ts';

/** Teams with members and spend, in a few reads whatever their number. */
export async function shownTeams(plane: ControlPlane, rows: readonly TeamRecord[]) {
  if (rows.length === 0) return [];
  const memberships = await plane.store.memberships.list({
    where: { teamId: rows.map((row) => row.id) },
    orderBy: 'role',
  });
  const [users, budgets] = await Promise.all([
    plane.store.users.many([...new Set(memberships.map((member) => member.userId))]),
    sharedBudgets(plane, rows),
  ]);
  const byId = new Map(users.map((user) => [user.id, user]));
  const figures = await spendOf(
    plane,
    rows.map((row) => {
      const shared = row.budgetId === null ? undefined : budgets.get(row.budgetId);
      return {
        scope: 'team' as const,
        id: row.id,
        cap: row.maxBudget ?? shared?.maxBudget ?? null,
        duration: row.budgetDuration ?? shared?.budgetDuration ?? null,
      };
    }),
  );
  return rows.map((row, index) =>
    shownTeam(row, {
      ...figures[index]!,
      memberships: memberships.filter((member) => member.teamId === row.id),
      users: byId,
    }),
  );
}

/** Memberships of one team with what each member spent. */
export async function shownMemberships(plane: ControlPlane, team: TeamRecord) {
  const rows = await plane.store.memberships.list({ where: { teamId: team.id } });
  const figures = await spendOf(
    plane,
    rows.map((row) => ({
      scope: 'team_member' as const,
      id: row.id,
      cap: row.maxBudget ?? team.memberBudget,
      duration: row.budgetDuration ?? team.memberBudgetDuration,
    })),
  );
  return rows.map((row, index) => shownMembership(row, figures[index]!));
}
