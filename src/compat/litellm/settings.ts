import { z } from 'zod';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { storedSettings } from '../../admin/setting.ts';
import { GatewayError } from '../../core/errors.ts';
import type { FallbackMap, RouterSettings } from '../../core/route.ts';
import { inDollars } from './fields.ts';

const tag = 'settings';

/** The configuration in force, as far as it may be shown. */
export function settingEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    endpoint('GET /router/settings', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'How requests are routed.',
      response: z.object({
        fields: z.array(z.object({ field_name: z.string(), field_value: z.unknown() })),
        current_values: z.record(z.string(), z.unknown()),
      }),
      run() {
        const values = shownRouter(plane.snapshot().router);
        return {
          fields: Object.entries(values).map(([name, value]) => ({ field_name: name, field_value: value })),
          current_values: values,
        };
      },
    }),
    endpoint('POST /reload/model_cost_map', {
      access: 'admin',
      tag,
      summary: 'Read the configuration and its price file again, as SIGHUP does.',
      response: z.object({ message: z.string(), status: z.string(), models_count: z.number(), timestamp: z.string() }),
      run() {
        if (!plane.reloadConfig()) {
          throw new GatewayError(
            'malformed_request',
            'The configuration was refused, and the one before stays in force; the log of this process says why.',
          );
        }
        const models = plane.snapshot().deployments.size;
        return {
          message: `Price data reloaded successfully! ${models} deployments are priced anew.`,
          status: 'success',
          models_count: models,
          timestamp: new Date(plane.clock.now()).toISOString(),
        };
      },
    }),
    endpoint('GET /config/list', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'General settings in force.',
      query: z.object({ config_type: z.string().optional() }),
      response: z.array(
        z.object({ field_name: z.string(), field_value: z.unknown(), stored_in_db: z.boolean().nullable() }),
      ),
      async run({ query }) {
        const stored = (await storedSettings(plane))[query.config_type ?? 'general_settings'] ?? {};
        const { settings } = plane.snapshot();
        const shown = {
          store_model_in_db: plane.settings.storeModelsInDatabase,
          max_request_size_mb: settings.bodyBytesMax / 1_048_576,
          timezone: settings.timezone,
          drop_params: settings.dropParams,
          modify_params: settings.modifyParams,
          always_include_stream_usage: settings.alwaysIncludeStreamUsage,
          enforce_user_param: settings.enforceUserParam,
          allow_client_side_credentials: settings.callerCredentialsAllowed,
          store_prompts_in_spend_logs: settings.storePromptsAndAnswers,
          max_budget: inDollars(settings.globalBudget?.cap ?? null),
          budget_duration: settings.globalBudget?.duration ?? null,
          cache: settings.cache !== null,
        };
        return Object.entries({ ...shown, ...stored }).map(([name, value]) => ({
          field_name: name,
          field_value: value ?? null,
          stored_in_db: Object.hasOwn(stored, name),
        }));
      },
    }),
    endpoint('GET /get/config/callbacks', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'Callbacks and routing settings in force.',
      response: z.object({
        status: z.string(),
        callbacks: z.array(
          z.object({ name: z.string(), variables: z.record(z.string(), z.unknown()), type: z.string() }),
        ),
        alerts: z.array(z.unknown()),
        router_settings: z.record(z.string(), z.unknown()),
        available_callbacks: z.record(z.string(), z.unknown()),
      }),
      run: () => ({
        status: 'success',
        callbacks: plane.settings.successCallbacks.map((name) => ({ name, variables: {}, type: 'success' })),
        alerts: [],
        router_settings: shownRouter(plane.snapshot().router),
        available_callbacks: {},
      }),
    }),
    endpoint('GET /config/cost_discount_config', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'Discounts on provider prices.',
      response: z.object({ values: z.record(z.string(), z.number()) }),
      run: () => ({ values: plane.snapshot().settings.priceDiscounts }),
    }),
    endpoint('GET /config/cost_margin_config', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'Margins on provider prices.',
      response: z.object({
        values: z.record(z.string(), z.object({ percentage: z.number(), fixed_amount: z.number().nullable() })),
      }),
      run: () => ({
        values: Object.fromEntries(
          Object.entries(plane.snapshot().settings.priceMargins).map(([name, margin]) => [
            name,
            { percentage: margin.ratio, fixed_amount: inDollars(margin.fixed) },
          ]),
        ),
      }),
    }),
    endpoint('GET /fallback/{model}', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'Where requests for a model go when it fails.',
      query: z.object({ fallback_type: z.enum(['general', 'context_window', 'content_policy']).default('general') }),
      response: z.object({ model: z.string(), fallback_models: z.array(z.string()), fallback_type: z.string() }),
      run({ params, query }) {
        const map = fallbackMapOf(plane.snapshot().router, query.fallback_type);
        return {
          model: params.model,
          fallback_models: [...(map.get(params.model!) ?? [])],
          fallback_type: query.fallback_type,
        };
      },
    }),
  ];
}

/** The router's settings under the names and in the units of the configuration file. */
function shownRouter(router: RouterSettings): Record<string, unknown> {
  return {
    routing_strategy: router.strategy,
    num_retries: router.retries,
    retry_after: router.retryAfterMinMs / 1_000,
    allowed_fails: router.allowedFails,
    allowed_fails_policy: router.allowedFailsPolicy,
    retry_policy: router.retryPolicy,
    model_group_retry_policy: router.groupRetryPolicy,
    cooldown_time: router.cooldownMs / 1_000,
    disable_cooldowns: router.cooldownsDisabled,
    fallbacks: shownFallbacks(router.fallbacks),
    context_window_fallbacks: shownFallbacks(router.contextWindowFallbacks),
    content_policy_fallbacks: shownFallbacks(router.contentPolicyFallbacks),
    default_fallbacks: router.defaultFallbacks,
    max_fallbacks: router.fallbacksMax,
    enable_pre_call_checks: router.preCallChecks,
    enable_tag_filtering: router.tagFiltering,
    tag_filtering_match_any: router.tagsMatchAny,
    default_max_parallel_requests: router.parallelMaxDefault,
  };
}

/** The key of `router_settings` that holds each kind of fallbacks. */
export const fallbackTypes = {
  general: 'fallbacks',
  context_window: 'context_window_fallbacks',
  content_policy: 'content_policy_fallbacks',
} as const;
export type FallbackType = keyof typeof fallbackTypes;

export function fallbackMapOf(router: RouterSettings, type: FallbackType): FallbackMap {
  const maps = {
    general: router.fallbacks,
    context_window: router.contextWindowFallbacks,
    content_policy: router.contentPolicyFallbacks,
  };
  return maps[type];
}

export function shownFallbacks(map: FallbackMap): Record<string, readonly string[]>[] {
  return [...map].map(([model, targets]) => ({ [model]: targets }));
}
