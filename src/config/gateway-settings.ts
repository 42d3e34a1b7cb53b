import { createHash } from 'node:crypto';
import { lifetimeEnd } from '../core/duration.ts';
import type { Scope } from '../core/identity.ts';
import type { JsonObject } from '../core/json.ts';
import type { BudgetRule, RateLimitRule } from '../core/limits.ts';
import { nanodollarsFromDollars } from '../core/money.ts';
import type { MediaLimits } from '../core/ports.ts';
import type { GatewaySettings, PassedHeaders, RouteRules } from '../core/route.ts';
import type { Secret } from '../core/secret.ts';
import { allowedAddresses } from './allowed-addresses.ts';
import { effectiveCache } from './cache-settings.ts';
import { gatewayDefaults } from './gateway-defaults.ts';
import { timerMilliseconds } from './router.ts';
import type { Sections } from './schema/sections.ts';
import { timeoutsOf } from './timeouts.ts';

/** No provider is asked for the state of a batch more often than this. */
const batchLooksMsMin = 100;

/** The gateway's own settings as they take effect. `masterKey` is what the start found or made; null = no key is needed. */
export function effectiveSettings(sections: Sections, masterKey: Secret | null): GatewaySettings {
  const { general_settings: general = {}, litellm_settings: litellm = {} } = sections;
  const timezone = litellm.timezone ?? 'UTC';
  const budget = (
    scope: Scope,
    label: string,
    cap: number | undefined,
    window: string | undefined,
  ): BudgetRule | null =>
    cap === undefined
      ? null
      : Object.freeze({
          scope,
          id: scope === 'global' ? 'global' : '',
          model: null,
          cap: nanodollarsFromDollars(cap),
          softCap: null,
          duration: window ?? null,
          timezone,
          increase: null,
          label,
        });
  const tagBudgets = new Map<string, BudgetRule[]>();
  for (const [tag, written] of Object.entries(litellm.tag_budget_config ?? {})) {
    const cap = written.max_budget ?? written.budget_limit;
    const rule = budget('tag', `tag ${tag}`, cap, written.budget_duration ?? written.time_period);
    if (rule !== null) tagBudgets.set(tag, [{ ...rule, id: tag }]);
  }
  return Object.freeze({
    masterKeyHash: masterKey === null ? null : createHash('sha256').update(masterKey.reveal()).digest('hex'),
    keyHeaderName: general.litellm_key_header_name?.toLowerCase() ?? null,
    bodyBytesMax: Math.round((general.max_request_size_mb ?? gatewayDefaults.bodyMebibytesMax) * 1024 * 1024),
    timeouts: timeoutsOf(sections),
    heartbeatMs: timerMilliseconds(
      general.heartbeat_seconds ??
        general.sse_keepalive_ping_interval_seconds ??
        litellm.sse_keepalive_ping_interval_seconds ??
        gatewayDefaults.heartbeatMs / 1000,
    ),
    drainMs: timerMilliseconds(general.drain_timeout_seconds ?? gatewayDefaults.drainMs / 1000),
    drainDelayMs: general.drain_delay_seconds === undefined ? null : timerMilliseconds(general.drain_delay_seconds),
    dropParams: litellm.drop_params ?? false,
    modifyParams: litellm.modify_params ?? false,
    schemasChecked: litellm.enable_json_schema_validation ?? false,
    alwaysIncludeStreamUsage: general.always_include_stream_usage ?? false,
    costInStreams: litellm.include_cost_in_streaming_usage ?? false,
    passedHeaders: passedHeaders(general, litellm.model_group_settings?.forward_client_headers_to_llm_api),
    answerBytesMax: Math.round((general.max_response_size_mb ?? gatewayDefaults.answerMebibytesMax) * 1024 * 1024),
    globalRates: globalRates(general.global_max_parallel_requests),
    keyParallelMax: general.max_parallel_requests ?? null,
    serviceAccountParams: texts(general.service_account_settings?.enforced_params),
    teamLogging: teamLogging(litellm.default_team_settings),
    priorityShares:
      litellm.priority_reservation === undefined ? null : new Map(Object.entries(litellm.priority_reservation)),
    routeRules: routeRules(general),
    enforceUserParam: general.enforce_user_param ?? false,
    callerCredentialsAllowed: general.allow_client_side_credentials ?? false,
    storePromptsAndAnswers: (general.store_prompts_in_spend_logs ?? false) && !general.disable_spend_logs,
    contentForSinks: false,
    budgetErrorStatus: Number(general.budget_error_status ?? litellm.budget_exceeded_status_code ?? 429),
    throttledShare: litellm.budget_exceeded_throttle_percentage ?? null,
    showAllowedModels: general.show_allowed_models ?? true,
    clampOutputTokens: general.clamp_output_tokens ?? false,
    budgetStoreDown: general.budget_store_down ?? 'closed',
    limitsWithoutRedis:
      general.limits_without_redis ?? (general.fail_closed_rate_limit_enforcement ? 'closed' : 'share'),
    unknownOutcome: general.unknown_outcome ?? 'charge_bound',
    hangupCharges: Object.freeze({ ...general.hangup_charge }),
    idempotency: Object.freeze({
      ttlMs: lifetimeEnd(general.idempotency_ttl, 0) ?? gatewayDefaults.idempotencyTtlMs,
      answerBytesMax: (general.idempotency_answer_max_kb ?? gatewayDefaults.idempotencyAnswerKibibytesMax) * 1024,
    }),
    batchLooksMs:
      general.proxy_batch_polling_interval === undefined
        ? null
        : Math.max(batchLooksMsMin, timerMilliseconds(general.proxy_batch_polling_interval)),
    providerBatches: general.provider_batches ?? true,
    keptAnswers: Object.freeze({
      isOn: general.store_responses ?? true,
      keptMs: lifetimeEnd(general.responses_kept_for, 0) ?? gatewayDefaults.answersKeptMs,
    }),
    cache: effectiveCache(sections),
    mediaFetch: mediaFetch(general.media_fetch, litellm.user_url_allowed_hosts ?? []),
    timezone,
    defaultModels: Object.freeze({
      ...(general.completion_model !== undefined && { chat: general.completion_model }),
      ...(general.embedding_model !== undefined && { embedding: general.embedding_model }),
      ...(general.image_generation_model !== undefined && { image: general.image_generation_model }),
      ...(general.moderation_model !== undefined && { moderation: general.moderation_model }),
    }),
    tokensLimited: general.token_rate_limit_type ?? 'total',
    globalBudget: budget('global', 'the whole gateway', litellm.max_budget, litellm.budget_duration),
    endUserBudgetId: litellm.max_end_user_budget_id ?? null,
    endUserBudgetDefault: budget('end_user', 'end user', litellm.max_end_user_budget, undefined),
    internalUserBudgetDefault: budget(
      'user',
      'user',
      litellm.max_internal_user_budget,
      litellm.internal_user_budget_duration,
    ),
    tagBudgets,
    endUserHeaders: endUserHeaders(general),
    userHeaders: headersOfRole(general, /^internal_user$/i),
    tagHeaders: Object.freeze((litellm.extra_spend_tag_headers ?? []).map((name) => name.toLowerCase())),
    enforcedParams: Object.freeze(general.enforced_params ?? []),
    callerTagsRejected: general.reject_clientside_metadata_tags ?? false,
    endUsersIgnored: litellm.disable_end_user_cost_tracking ?? false,
    answersAreEverybodys: general.disable_responses_id_security ?? false,
    errorTextsKept: !(general.disable_error_logs ?? false),
    addressAllowed: allowedAddresses(general.allowed_ips),
    trustsForwardedFor: general.use_x_forwarded_for ?? false,
    priceDiscounts: Object.freeze({ ...litellm.cost_discount_config }),
    priceMargins: margins(litellm.cost_margin_config ?? {}),
  });
}

type General = NonNullable<Sections['general_settings']>;

function passedHeaders(general: General, groups: readonly string[] = []): PassedHeaders | null {
  const everywhere = general.forward_client_headers_to_llm_api ?? false;
  const own = !everywhere && groups.length > 0 ? new Set(groups) : everywhere;
  const organization = general.forward_openai_org_id ?? false;
  const credentials = general.forward_llm_provider_auth_headers ?? false;
  return own || organization || credentials ? Object.freeze({ own, organization, credentials }) : null;
}

/** Lists of callbacks by team; every other key of an entry is a variable of its callbacks. */
function teamLogging(written: readonly Readonly<Record<string, unknown>>[] | undefined) {
  const found: Record<string, JsonObject[]> = {};
  for (const { team_id, success_callback, failure_callback, callbacks, ...variables } of written ?? []) {
    if (typeof team_id !== 'string') continue;
    const rules = (names: unknown, type: string) =>
      texts(names).map((name) => ({
        callback_name: name,
        callback_type: type,
        callback_vars: variables as JsonObject,
      }));
    found[team_id] = [
      ...rules(callbacks, 'success_and_failure'),
      ...rules(success_callback, 'success'),
      ...rules(failure_callback, 'failure'),
    ];
  }
  return Object.freeze(found);
}

function texts(written: unknown): readonly string[] {
  return Array.isArray(written) ? written.filter((one) => typeof one === 'string') : [];
}

function routeRules(general: General): RouteRules | null {
  const allowed = general.allowed_routes ?? [];
  const adminOnly = general.admin_only_routes ?? [];
  return allowed.length === 0 && adminOnly.length === 0 ? null : Object.freeze({ allowed, adminOnly });
}

function globalRates(limit: number | undefined): readonly RateLimitRule[] {
  if (limit === undefined) return [];
  const whole = { scope: 'global', id: 'global', label: 'the whole gateway', model: null } as const;
  return [Object.freeze({ ...whole, metric: 'parallel', limit, tokens: 'total' } as const)];
}

/** Those of the mappings whose role is the customer's, then the plain one. */
function endUserHeaders(general: General): readonly string[] {
  const named = general.user_header_name === undefined ? [] : [general.user_header_name.toLowerCase()];
  return Object.freeze([...headersOfRole(general, /^(customer|end_user)$/i), ...named]);
}

function headersOfRole({ user_header_mappings: mappings = [] }: General, role: RegExp): readonly string[] {
  return [mappings]
    .flat()
    .filter(({ litellm_user_role }) => role.test(litellm_user_role))
    .map(({ header_name }) => header_name.toLowerCase());
}

function mediaFetch(
  written: NonNullable<Sections['general_settings']>['media_fetch'],
  hosts: readonly string[],
): MediaLimits | null {
  if (written?.enabled === false) return null;
  return Object.freeze({
    bytesMax: Math.round((written?.max_mb ?? gatewayDefaults.mediaMebibytesMax) * 1024 * 1024),
    timeoutMs: timerMilliseconds(written?.timeout_seconds ?? gatewayDefaults.mediaMs / 1000),
    allowedHosts: new Set([...(written?.allowed_hosts ?? []), ...hosts].map((host) => host.toLowerCase())),
  });
}

type WrittenMargin = number | { readonly percentage?: number | undefined; readonly fixed_amount?: number | undefined };

/** Ratios of the cost, and nano-dollars for each request. */
function margins(written: Readonly<Record<string, WrittenMargin>>): GatewaySettings['priceMargins'] {
  return Object.freeze(
    Object.fromEntries(
      Object.entries(written).map(([provider, margin]) => [
        provider,
        typeof margin === 'number'
          ? { ratio: margin, fixed: 0 }
          : { ratio: margin.percentage ?? 0, fixed: nanodollarsFromDollars(margin.fixed_amount ?? 0) },
      ]),
    ),
  );
}
