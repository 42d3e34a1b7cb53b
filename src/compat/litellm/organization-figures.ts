import { z } from 'zod';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import type { OrganizationRecord } from '../../core/store.ts';
import { limitFigures, shownBudgetTable } from './budget-table.ts';
import { extraOutput, organizationExtras, shownExtras } from './extra-fields.ts';
import { isoTime } from './fields.ts';
import { limitOutput, shownLimits, trackedOutput } from './limit-fields.ts';

const text = z.string().nullable();

export const organizationMemberOutput = z.object({
  user_id: z.string(),
  organization_id: z.string(),
  user_role: z.string(),
  user_email: text,
  max_budget_in_organization: z.unknown(),
  created_at: text,
});

export const organizationOutput = z.object({
  organization_id: z.string(),
  organization_alias: z.string(),
  models: z.array(z.string()),
  metadata: z.record(z.string(), z.unknown()),
  spend: z.number(),
  model_spend: z.record(z.string(), z.unknown()),
  ...limitOutput,
  budget_id: text,
  budget_reset_at: text,
  blocked: z.boolean(),
  litellm_budget_table: z.record(z.string(), z.unknown()).nullable(),
  members: z.array(organizationMemberOutput),
  teams: z.array(z.object({ team_id: z.string(), team_alias: text })),
  ...trackedOutput,
  ...extraOutput(organizationExtras),
});

/** Organizations with teams, members and spend, in a few reads whatever their number. */
export async function shownOrganizations(plane: ControlPlane, rows: readonly OrganizationRecord[]) {
  if (rows.length === 0) return [];
  const where = { organizationId: rows.map((row) => row.id) };
  const [figures, members, teams] = await Promise.all([
    limitFigures(plane, 'organization', rows),
    plane.store.organizationMemberships.list({ where }),
    plane.store.teams.list({ where }),
  ]);
  const users = await plane.store.users.many([...new Set(members.map((member) => member.userId))]);
  const emails = new Map(users.map((user) => [user.id, user.email]));
  return rows.map((row, index) => ({
    organization_id: row.id,
    organization_alias: row.alias,
    models: row.models,
    metadata: row.metadata,
    spend: dollarsFromNanodollars(figures[index]!.spent),
    model_spend: {},
    ...shownLimits(row),
    budget_id: row.budgetId,
    budget_reset_at: isoTime(figures[index]!.resetAt),
    blocked: row.blocked,
    litellm_budget_table: shownBudgetTable(row, figures[index]!),
    members: members
      .filter((member) => member.organizationId === row.id)
      .map((member) => ({
        user_id: member.userId,
        organization_id: member.organizationId,
        user_role: member.role,
        user_email: emails.get(member.userId) ?? null,
        max_budget_in_organization: member.extra.max_budget_in_organization ?? null,
        created_at: isoTime(member.createdAt),
      })),
    teams: teams
      .filter((team) => team.organizationId === row.id)
      .map((team) => ({ team_id: team.id, team_alias: team.alias })),
    created_at: isoTime(row.createdAt),
    created_by: row.createdBy,
    updated_at: isoTime(row.updatedAt),
    updated_by: row.updatedBy,
    ...shownExtras(organizationExtras, row.extra),
  }));
}
