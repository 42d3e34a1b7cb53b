import { z } from 'zod';
import type { SpendFigures } from '../../admin/spend.ts';
import { roles } from '../../core/identity.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import type { UserRecord } from '../../core/store.ts';
import { extraFields, extraOutput, namedExtras, shownExtras, userExtras } from './extra-fields.ts';
import { identifier, isoTime, label, modelList, tree } from './fields.ts';
import { limitColumns, limitFields, limitOutput, present, shownLimits, trackedOutput } from './limit-fields.ts';

export const userFields = {
  ...extraFields(userExtras),
  ...limitFields,
  user_email: z.string().max(320).nullish(),
  user_alias: label.nullish(),
  user_role: z.enum(roles).nullish(),
  models: modelList.nullish(),
  metadata: tree.nullish(),
};

const userBody = z.object(userFields);

export function userColumns(body: z.output<typeof userBody>): Partial<UserRecord> {
  const extra = namedExtras(userExtras, body);
  return present({
    ...limitColumns(body),
    email: body.user_email,
    alias: body.user_alias,
    role: body.user_role ?? undefined,
    models: body.models === null ? [] : body.models,
    metadata: body.metadata === null ? {} : body.metadata,
    extra: Object.keys(extra).length === 0 ? undefined : extra,
  }) as Partial<UserRecord>;
}

export interface UserFigures extends SpendFigures {
  readonly teams: readonly string[];
  readonly keyCount: number;
}

export function shownUser(row: UserRecord, figures: UserFigures) {
  return {
    user_id: row.id,
    user_email: row.email,
    user_alias: row.alias,
    user_role: row.role,
    models: row.models,
    metadata: row.metadata,
    ...shownLimits(row),
    budget_id: row.budgetId,
    budget_reset_at: isoTime(figures.resetAt),
    spend: dollarsFromNanodollars(figures.spent),
    model_spend: {},
    teams: [...figures.teams],
    key_count: figures.keyCount,
    blocked: row.blocked,
    created_at: isoTime(row.createdAt),
    created_by: row.createdBy,
    updated_at: isoTime(row.updatedAt),
    updated_by: row.updatedBy,
    ...shownExtras(userExtras, row.extra),
  };
}

const text = z.string().nullable();

export const shownUserFields = {
  user_id: identifier,
  user_email: text,
  user_alias: text,
  user_role: z.string(),
  models: z.array(z.string()),
  metadata: z.record(z.string(), z.unknown()),
  ...limitOutput,
  budget_id: text,
  budget_reset_at: text,
  spend: z.number(),
  model_spend: z.record(z.string(), z.unknown()),
  teams: z.array(z.string()),
  key_count: z.number(),
  blocked: z.boolean(),
  ...trackedOutput,
  ...extraOutput(userExtras),
};

export const userOutput = z.object(shownUserFields);
