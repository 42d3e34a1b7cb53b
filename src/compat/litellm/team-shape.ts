import { z } from 'zod';
import type { SpendFigures } from '../../admin/spend.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import type { MembershipRecord, TeamRecord, UserRecord } from '../../core/store.ts';
import { extraFields, extraOutput, namedExtras, shownExtras, teamExtras } from './extra-fields.ts';
import {
  budgetDuration,
  count,
  dollars,
  flag,
  identifier,
  inDollars,
  isoTime,
  label,
  modelList,
  textMap,
  tree,
} from './fields.ts';
import { limitColumns, limitFields, limitOutput, present, shownLimits, trackedOutput } from './limit-fields.ts';

export const memberFields = z.object({
  role: z.enum(['admin', 'user']).default('user'),
  user_id: identifier.nullish(),
  user_email: z.string().max(320).nullish(),
});

export const teamFields = {
  ...extraFields(teamExtras),
  ...limitFields,
  team_alias: label.nullish(),
  organization_id: identifier.nullish(),
  metadata: tree.nullish(),
  models: modelList.nullish(),
  blocked: flag.nullish(),
  model_aliases: textMap.nullish(),
  team_member_budget: dollars.nullish(),
  team_member_budget_duration: budgetDuration.nullish(),
  team_member_rpm_limit: count.nullish(),
  team_member_tpm_limit: count.nullish(),
};

const teamBody = z.object(teamFields);

export function teamColumns(body: z.output<typeof teamBody>): Partial<TeamRecord> {
  const extra = namedExtras(teamExtras, body);
  return present({
    ...limitColumns(body),
    alias: body.team_alias,
    organizationId: body.organization_id,
    metadata: body.metadata === null ? {} : body.metadata,
    models: body.models === null ? [] : body.models,
    blocked: body.blocked === null ? false : body.blocked,
    modelAliases: body.model_aliases === null ? {} : body.model_aliases,
    memberBudget: body.team_member_budget,
    memberBudgetDuration: body.team_member_budget_duration,
    memberRpmLimit: body.team_member_rpm_limit,
    memberTpmLimit: body.team_member_tpm_limit,
    extra: Object.keys(extra).length === 0 ? undefined : extra,
  }) as Partial<TeamRecord>;
}

export interface TeamFigures extends SpendFigures {
  readonly memberships: readonly MembershipRecord[];
  /** Members by id, for their addresses. */
  readonly users: ReadonlyMap<string, UserRecord>;
}

export function shownTeam(row: TeamRecord, figures: TeamFigures) {
  const members = figures.memberships.map((member) => ({
    user_id: member.userId,
    user_email: figures.users.get(member.userId)?.email ?? null,
    role: member.role,
  }));
  return {
    team_id: row.id,
    team_alias: row.alias,
    organization_id: row.organizationId,
    admins: members.filter((member) => member.role === 'admin').map((member) => member.user_id),
    members: members.filter((member) => member.role === 'user').map((member) => member.user_id),
    members_with_roles: members,
    metadata: row.metadata,
    ...shownLimits(row),
    budget_id: row.budgetId,
    budget_reset_at: isoTime(figures.resetAt),
    spend: dollarsFromNanodollars(figures.spent),
    model_spend: {},
    models: row.models,
    blocked: row.blocked,
    model_aliases: row.modelAliases,
    team_member_budget: inDollars(row.memberBudget),
    team_member_budget_duration: row.memberBudgetDuration,
    team_member_rpm_limit: row.memberRpmLimit,
    team_member_tpm_limit: row.memberTpmLimit,
    created_at: isoTime(row.createdAt),
    created_by: row.createdBy,
    updated_at: isoTime(row.updatedAt),
    updated_by: row.updatedBy,
    ...shownExtras(teamExtras, row.extra),
  };
}

export function shownMembership(row: MembershipRecord, figures: SpendFigures) {
  return {
    user_id: row.userId,
    team_id: row.teamId,
    role: row.role,
    budget_id: null,
    spend: dollarsFromNanodollars(figures.spent),
    allowed_models: row.allowedModels,
    litellm_budget_table: {
      max_budget: inDollars(row.maxBudget),
      budget_duration: row.budgetDuration,
      rpm_limit: row.rpmLimit,
      tpm_limit: row.tpmLimit,
    },
  };
}

const text = z.string().nullable();

export const memberOutput = z.object({ user_id: z.string(), user_email: text, role: z.string() });

export const shownTeamFields = {
  team_id: z.string(),
  team_alias: text,
  organization_id: text,
  admins: z.array(z.string()),
  members: z.array(z.string()),
  members_with_roles: z.array(memberOutput),
  metadata: z.record(z.string(), z.unknown()),
  ...limitOutput,
  budget_id: text,
  budget_reset_at: text,
  spend: z.number(),
  model_spend: z.record(z.string(), z.unknown()),
  models: z.array(z.string()),
  blocked: z.boolean(),
  model_aliases: z.record(z.string(), z.string()),
  team_member_budget: z.number().nullable(),
  team_member_budget_duration: text,
  team_member_rpm_limit: z.number().nullable(),
  team_member_tpm_limit: z.number().nullable(),
  ...trackedOutput,
  ...extraOutput(teamExtras),
};

export const teamOutput = z.object(shownTeamFields);

export const membershipOutput = z.object({
  user_id: z.string(),
  team_id: z.string(),
  role: z.string(),
  budget_id: text,
  spend: z.number(),
  allowed_models: z.array(z.string()),
  litellm_budget_table: z.record(z.string(), z.unknown()),
});
