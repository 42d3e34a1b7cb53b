import { z } from 'zod';
import { ownRoutingFault } from '../../config/own-routing.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { limitTypes } from './guaranteed-limits.ts';
import { budgetWindows } from './limit-fields.ts';

/*
 * Fields of the format that have no column: they are kept as written, answered with the default when nothing was written,
 * and enforced by whatever part of the gateway knows them.
 */
const shared: JsonObject = {
  guardrails: null,
  policies: null,
  prompts: null,
  budget_limits: null,
  model_rpm_limit: null,
  model_tpm_limit: null,
  mcp_rpm_limit: null,
  object_permission: null,
  access_group_ids: null,
  router_settings: null,
  allowed_passthrough_routes: null,
};

export const keyExtras: JsonObject = {
  ...shared,
  config: {},
  permissions: {},
  allowed_cache_controls: [],
  agent_id: null,
  project_id: null,
  budget_fallbacks: null,
  tag_rpm_limit: null,
  rpm_limit_type: null,
  tpm_limit_type: null,
  disable_global_guardrails: null,
  enforced_params: null,
  allowed_vector_store_indexes: null,
  throttle_on_budget_exceeded: null,
  auto_rotate: false,
  rotation_interval: null,
};

export const teamExtras: JsonObject = {
  ...shared,
  tags: null,
  team_member_permissions: [],
  default_team_member_models: null,
  team_member_key_duration: null,
  secret_manager_settings: null,
  callbacks: null,
  logging_disabled: null,
};

export const userExtras: JsonObject = { ...shared, sso_user_id: null };

export const projectExtras: JsonObject = {
  budget_limits: null,
  model_rpm_limit: null,
  model_tpm_limit: null,
  object_permission: null,
  tags: null,
};

export const organizationExtras: JsonObject = { model_rpm_limit: null, model_tpm_limit: null, object_permission: null };

export const endUserExtras: JsonObject = { object_permission: null };

/** Those that bound money or lead requests are checked as they come. */
const checked: Readonly<Record<string, z.ZodType>> = {
  budget_limits: budgetWindows.nullable(),
  router_settings: z.unknown().superRefine((written, context) => {
    const fault = written === null || written === undefined ? null : ownRoutingFault(written);
    if (fault !== null) context.addIssue({ code: 'custom', message: fault });
  }),
  rpm_limit_type: z.enum(limitTypes).nullable(),
  tpm_limit_type: z.enum(limitTypes).nullable(),
  tag_rpm_limit: z.record(z.string().max(256), z.number().int().min(0)).nullable(),
  throttle_on_budget_exceeded: z.boolean().nullable(),
  budget_fallbacks: z.record(z.string().max(256), z.array(z.string().max(256)).max(20)).nullable(),
};

/** Body fields for these: kept as written. */
export function extraFields(extras: JsonObject): Record<string, z.ZodOptional<z.ZodType>> {
  return Object.fromEntries(Object.keys(extras).map((name) => [name, (checked[name] ?? z.unknown()).optional()]));
}

export function extraOutput(extras: JsonObject): Record<string, z.ZodUnknown> {
  return Object.fromEntries(Object.keys(extras).map((name) => [name, z.unknown()]));
}

/** The extras that a body names. */
export function namedExtras(extras: JsonObject, body: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(
    Object.keys(extras)
      .filter((name) => body[name] !== undefined)
      .map((name) => [name, body[name] as Json]),
  );
}

export function shownExtras(extras: JsonObject, kept: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(extras).map(([name, absent]) => [name, kept[name] ?? absent]));
}
