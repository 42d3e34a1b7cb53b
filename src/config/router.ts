import type {
  Affinity,
  ErrorClass,
  FallbackMap,
  RouterSettings,
  RoutingStrategy,
  StrategyChoice,
} from '../core/route.ts';
import type { Sections } from './schema/sections.ts';

type WrittenRouter = NonNullable<Sections['router_settings']>;
type WrittenStrategy = NonNullable<WrittenRouter['routing_strategy']>;

const errorClasses: readonly ErrorClass[] = [
  'BadRequest',
  'Authentication',
  'Timeout',
  'RateLimit',
  'ContentPolicyViolation',
  'InternalServer',
];

export const routerDefaults = {
  retries: 2,
  fallbacksMax: 5,
  cooldownMs: 5_000,
  latencySamplesMax: 10,
  retryBudgetRatio: 0.2,
  retryBudgetMinPerSecond: 10,
  checkFreshSeconds: 600,
} as const;

/** Routing as it takes effect: `router_settings`, then `litellm_settings`, then the defaults. */
export function effectiveRouter({
  router_settings: router = {},
  litellm_settings: litellm = {},
}: Sections): RouterSettings {
  const fallbacks = fallbackMap(router.fallbacks ?? litellm.fallbacks);
  const args = router.routing_strategy_args;
  return Object.freeze({
    strategy: strategyOf(router.routing_strategy),
    latencyBuffer: args?.lowest_latency_buffer ?? 0,
    latencySamplesMax: args?.max_latency_list_size ?? routerDefaults.latencySamplesMax,
    groupStrategies: groupStrategies(router.routing_groups),
    affinities: affinities(router.optional_pre_call_checks ?? []),
    groupAffinities: new Map(
      Object.entries(router.model_group_affinity_config ?? {}).map(([group, checks]) => [
        group,
        affinities(Array.isArray(checks) ? checks : []),
      ]),
    ),
    enforcesRates: router.optional_pre_call_checks?.includes('enforce_model_rate_limits') ?? false,
    checkedRouting:
      router.enable_health_check_routing === true
        ? {
            freshMs: milliseconds(router.health_check_staleness_threshold ?? routerDefaults.checkFreshSeconds),
            ignoresTransient: router.health_check_ignore_transient_errors ?? false,
          }
        : null,
    fallbacks,
    contextWindowFallbacks: fallbackMap(router.context_window_fallbacks ?? litellm.context_window_fallbacks),
    contentPolicyFallbacks: fallbackMap(router.content_policy_fallbacks ?? litellm.content_policy_fallbacks),
    defaultFallbacks: router.default_fallbacks ?? litellm.default_fallbacks ?? fallbacks.get('*') ?? [],
    fallbacksMax: router.max_fallbacks ?? litellm.max_fallbacks ?? routerDefaults.fallbacksMax,
    retries: router.num_retries ?? litellm.num_retries ?? routerDefaults.retries,
    retryAfterMinMs: milliseconds(router.retry_after ?? litellm.retry_after ?? 0),
    defaultPriority: router.default_priority ?? null,
    ...(router.polling_interval !== undefined && { pollingMs: Math.max(1, milliseconds(router.polling_interval)) }),
    retryPolicy: byErrorClass(router.retry_policy ?? litellm.retry_policy, 'ErrorRetries'),
    groupRetryPolicy: Object.freeze(
      Object.fromEntries(
        Object.entries(router.model_group_retry_policy ?? litellm.model_group_retry_policy ?? {}).map(
          ([group, policy]) => [group, byErrorClass(policy, 'ErrorRetries')],
        ),
      ),
    ),
    allowedFails: router.allowed_fails ?? litellm.allowed_fails ?? null,
    allowedFailsPolicy: byErrorClass(router.allowed_fails_policy ?? litellm.allowed_fails_policy, 'ErrorAllowedFails'),
    cooldownMs: milliseconds(router.cooldown_time ?? litellm.cooldown_time ?? routerDefaults.cooldownMs / 1000),
    cooldownsDisabled: router.disable_cooldowns ?? litellm.disable_cooldowns ?? false,
    preCallChecks: router.enable_pre_call_checks ?? router.enable_pre_call_check ?? false,
    tagFiltering: router.enable_tag_filtering ?? false,
    tagsMatchAny: router.tag_filtering_match_any ?? true,
    parallelMaxDefault: router.default_max_parallel_requests ?? null,
    continuesStreams: router.stream_continuation === 'prefill',
    retryBudgetRatio: router.retry_budget_ratio ?? routerDefaults.retryBudgetRatio,
    retryBudgetMinPerSecond: router.retry_budget_min_per_second ?? routerDefaults.retryBudgetMinPerSecond,
  });
}

/** Budgets of providers filter the candidates of any strategy; as a strategy of its own it leaves the plain choice. */
function strategyOf(written: WrittenStrategy | undefined): RoutingStrategy {
  return written === undefined || written === 'provider-budget-routing' ? 'simple-shuffle' : written;
}

/** A model group in several of them has the strategy of the first. */
function groupStrategies(written: WrittenRouter['routing_groups']): ReadonlyMap<string, StrategyChoice> {
  const found = new Map<string, StrategyChoice>();
  for (const { models, routing_strategy, routing_strategy_args } of written ?? []) {
    if (routing_strategy === undefined) continue;
    const latencyBuffer = routing_strategy_args?.lowest_latency_buffer ?? 0;
    const choice = Object.freeze({ strategy: strategyOf(routing_strategy), latencyBuffer });
    for (const model of models) if (!found.has(model)) found.set(model, choice);
  }
  return found;
}

const affinityNames: Readonly<Record<string, Affinity>> = {
  prompt_caching: 'prompt',
  session_affinity: 'session',
  deployment_affinity: 'key',
};

function affinities(checks: readonly unknown[]): readonly Affinity[] {
  return Object.freeze(checks.flatMap((check) => (typeof check === 'string' ? (affinityNames[check] ?? []) : [])));
}

export function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000);
}

/** The longest a timer can run; anything longer would fire at once. */
export const timerMsMax = 2_147_483_647;

export function timerMilliseconds(seconds: number): number {
  return Math.min(milliseconds(seconds), timerMsMax);
}

/** Several entries for one group are put one after the other. */
function fallbackMap(written: readonly Readonly<Record<string, readonly string[]>>[] | undefined): FallbackMap {
  const map = new Map<string, readonly string[]>();
  for (const entry of written ?? []) {
    for (const [group, targets] of Object.entries(entry)) map.set(group, [...(map.get(group) ?? []), ...targets]);
  }
  return map;
}

function byErrorClass(
  policy: Readonly<Record<string, number | undefined>> | undefined,
  suffix: 'ErrorRetries' | 'ErrorAllowedFails',
): Readonly<Partial<Record<ErrorClass, number>>> {
  const found: Partial<Record<ErrorClass, number>> = {};
  for (const name of errorClasses) {
    const value = policy?.[`${name}${suffix}`];
    if (value !== undefined) found[name] = value;
  }
  return Object.freeze(found);
}
