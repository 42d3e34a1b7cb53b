import { z } from 'zod';
import type { SpendFigures } from '../../admin/spend.ts';
import { GatewayError } from '../../core/errors.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import type { BudgetRecord, KeyRecord } from '../../core/store.ts';
import { lifetimeEnd } from '../../core/window.ts';
import { extraFields, extraOutput, keyExtras, namedExtras, shownExtras } from './extra-fields.ts';
import { flag, identifier, inDollars, isoTime, label, modelList, textMap, tree } from './fields.ts';
import {
  budgetOutput,
  limitColumns,
  limitFields,
  limitOutput,
  present,
  shownBudget,
  shownLimits,
  trackedOutput,
} from './limit-fields.ts';

export const keyFields = {
  ...extraFields(keyExtras),
  ...limitFields,
  key_alias: label.nullish(),
  duration: z.string().nullish().describe('lifetime from now, such as 30d or 1mo'),
  models: modelList.nullish(),
  user_id: identifier.nullish(),
  team_id: identifier.nullish(),
  organization_id: identifier.nullish(),
  metadata: tree.nullish(),
  aliases: textMap.nullish(),
  allowed_routes: z.array(z.string().max(512)).max(1_000).nullish(),
  key_type: z.enum(['llm_api', 'management', 'read_only', 'default']).nullish(),
  tags: z.array(z.string().max(256)).max(100).nullish(),
  blocked: flag.nullish(),
};

export const keyBody = z.object(keyFields);
export type KeyBody = z.output<typeof keyBody>;

const routesByType = {
  llm_api: ['llm_api_routes'],
  management: ['management_routes'],
  read_only: ['info_routes'],
  default: [],
} as const;

/** The columns that a body names; absent fields stay absent, `null` clears. */
export function keyColumns(body: KeyBody, now: number): Partial<KeyRecord> {
  const routes = body.allowed_routes ?? (body.key_type ? [...routesByType[body.key_type]] : undefined);
  const extra = namedExtras(keyExtras, body);
  return present({
    ...limitColumns(body),
    alias: body.key_alias === '' ? null : body.key_alias,
    expiresAt: body.duration === undefined ? undefined : expiry(body.duration, now),
    models: body.models === null ? [] : body.models,
    userId: body.user_id,
    teamId: body.team_id,
    organizationId: body.organization_id,
    metadata: body.metadata === null ? {} : body.metadata,
    aliases: body.aliases === null ? {} : body.aliases,
    allowedRoutes: body.allowed_routes === null ? [] : routes,
    tags: body.tags === null ? [] : body.tags,
    blocked: body.blocked === null ? false : body.blocked,
    extra: Object.keys(extra).length === 0 ? undefined : extra,
  }) as Partial<KeyRecord>;
}

export function lifetime(text: string, param: string, now: number): number {
  try {
    const end = lifetimeEnd(text, now);
    if (end !== null) return end;
  } catch (error) {
    throw new GatewayError('malformed_request', `${param}: ${(error as Error).message}`, { param });
  }
  throw new GatewayError('malformed_request', `${param} must be a duration such as 24h or 30d.`, { param });
}

function expiry(text: string | null, now: number): number | null {
  return text === null || text === '' || text === '-1' || text === 'None' ? null : lifetime(text, 'duration', now);
}

export interface KeyFigures extends SpendFigures {
  readonly budget: BudgetRecord | undefined;
}

/** A key as LiteLLM tells it; never the key itself. */
export function shownKey(row: KeyRecord, figures: KeyFigures) {
  return {
    token: row.id,
    key_name: row.name,
    key_alias: row.alias,
    spend: dollarsFromNanodollars(figures.spent),
    expires: isoTime(row.expiresAt),
    models: row.models,
    aliases: row.aliases,
    user_id: row.userId,
    team_id: row.teamId,
    organization_id: row.organizationId,
    metadata: row.metadata,
    ...shownLimits(row),
    budget_reset_at: isoTime(figures.resetAt),
    budget_id: row.budgetId,
    litellm_budget_table: figures.budget === undefined ? null : shownBudget(figures.budget),
    model_spend: {},
    soft_budget_cooldown: false,
    allowed_routes: row.allowedRoutes,
    blocked: row.blocked,
    tags: row.tags,
    temp_budget_increase: inDollars(row.temporaryIncrease),
    temp_budget_expiry: isoTime(row.temporaryIncreaseUntil),
    last_active: isoTime(row.lastActiveAt),
    created_at: isoTime(row.createdAt),
    created_by: row.createdBy,
    updated_at: isoTime(row.updatedAt),
    updated_by: row.updatedBy,
    ...shownExtras(keyExtras, row.extra),
  };
}

const text = z.string().nullable();

const shownKeyFields = {
  token: z.string(),
  key_name: z.string(),
  key_alias: text,
  spend: z.number(),
  expires: text,
  models: z.array(z.string()),
  aliases: z.record(z.string(), z.string()),
  user_id: text,
  team_id: text,
  organization_id: text,
  metadata: z.record(z.string(), z.unknown()),
  ...limitOutput,
  budget_reset_at: text,
  budget_id: text,
  litellm_budget_table: budgetOutput.nullable(),
  model_spend: z.record(z.string(), z.unknown()),
  soft_budget_cooldown: z.boolean(),
  allowed_routes: z.array(z.string()),
  blocked: z.boolean().nullable(),
  tags: z.array(z.string()),
  temp_budget_increase: z.number().nullable(),
  temp_budget_expiry: text,
  last_active: text,
  ...trackedOutput,
  ...extraOutput(keyExtras),
};

export const keyOutput = z.object(shownKeyFields);

/** Answer of the calls that make a key: the only place where a key itself appears. */
export const newKeyOutput = z.object({
  ...shownKeyFields,
  key: z.string(),
  token_id: z.string(),
  duration: text,
});

/** `key` is what the caller called it by: the key as given, or its id. */
export const changedKeyOutput = z.object({ ...shownKeyFields, key: z.string() });
