import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { RouterSettings, Snapshot } from '../core/route.ts';
import { gatewayDefaults } from './gateway-defaults.ts';
import { effectiveRouter } from './router.ts';
import { routerSettings } from './schema/router-settings.ts';
import type { Sections } from './schema/sections.ts';
import { timeoutsOf } from './timeouts.ts';

/*
 * `router_settings` of a key or a team: they take the place of the gateway's for its requests. What is common to all
 * requests (cooldowns, shared counters) stays as it is.
 */

type Written = NonNullable<Sections['router_settings']>;

const parts: Partial<Record<keyof Written, readonly (keyof RouterSettings)[]>> = {
  routing_strategy: ['strategy'],
  routing_strategy_args: ['latencyBuffer', 'latencySamplesMax'],
  fallbacks: ['fallbacks', 'defaultFallbacks'],
  default_fallbacks: ['defaultFallbacks'],
  context_window_fallbacks: ['contextWindowFallbacks'],
  content_policy_fallbacks: ['contentPolicyFallbacks'],
  max_fallbacks: ['fallbacksMax'],
  num_retries: ['retries'],
  retry_after: ['retryAfterMinMs'],
  retry_policy: ['retryPolicy'],
  model_group_retry_policy: ['groupRetryPolicy'],
  enable_pre_call_checks: ['preCallChecks'],
  enable_pre_call_check: ['preCallChecks'],
  enable_tag_filtering: ['tagFiltering'],
  tag_filtering_match_any: ['tagsMatchAny'],
  stream_continuation: ['continuesStreams'],
};

const others = ['timeout', 'stream_timeout', 'model_group_alias'] as const;

/** Names that a key or a team may set. */
export const ownRoutingKeys: readonly string[] = [...Object.keys(parts), ...others];

/** What is wrong with settings as they were sent; null when nothing is. */
export function ownRoutingFault(written: unknown): string | null {
  if (!isJsonObject(written)) return 'expected an object';
  for (const [name, value] of Object.entries(written)) {
    if (value === null) continue;
    if (!ownRoutingKeys.includes(name)) return `${name} cannot be set here: use ${ownRoutingKeys.join(', ')}`;
    const issue = shapeOf(name).safeParse(value).error?.issues[0];
    if (issue !== undefined) return `${[name, ...issue.path].join('.')}: ${issue.message}`;
  }
  return null;
}

/** The configuration as it is for one holder of such settings; what cannot be read of them is left out. */
export function withOwnRouting(snapshot: Snapshot, written: JsonObject): Snapshot {
  const read: Record<string, unknown> = {};
  for (const name of ownRoutingKeys) {
    if (written[name] === undefined || written[name] === null) continue;
    const { data, success } = shapeOf(name).safeParse(written[name]);
    if (success) read[name] = data;
  }
  const own = read as Written;
  const all = effectiveRouter({ router_settings: own });
  const router: Record<string, unknown> = { ...snapshot.router };
  for (const [name, properties] of Object.entries(parts)) {
    if (read[name] === undefined) continue;
    for (const property of properties) {
      // A list of fallbacks without `*` says nothing of groups that it does not name.
      if (property === 'defaultFallbacks' && all.defaultFallbacks.length === 0 && name === 'fallbacks') continue;
      router[property] = all[property];
    }
  }
  const { settings, aliases } = snapshot;
  const hasTimeout = own.timeout !== undefined || own.stream_timeout !== undefined;
  return Object.freeze({
    ...snapshot,
    router: Object.freeze(router) as unknown as RouterSettings,
    settings: hasTimeout
      ? Object.freeze({ ...settings, timeouts: Object.freeze({ ...settings.timeouts, ...ownTimeouts(own) }) })
      : settings,
    aliases:
      own.model_group_alias === undefined
        ? aliases
        : new Map([
            ...aliases,
            ...Object.entries(own.model_group_alias).map(
              ([alias, to]) =>
                [
                  alias,
                  typeof to === 'string'
                    ? { group: to, hidden: false }
                    : { group: to.model, hidden: to.hidden ?? false },
                ] as const,
            ),
          ]),
  });
}

/** `withOwnRouting`, done once for each holder and configuration. */
export function ownRoutings(): (snapshot: Snapshot, written: JsonObject) => Snapshot {
  const made = new WeakMap<JsonObject, { readonly from: Snapshot; readonly own: Snapshot }>();
  return (snapshot, written) => {
    const known = made.get(written);
    if (known?.from === snapshot) return known.own;
    const own = withOwnRouting(snapshot, written);
    made.set(written, { from: snapshot, own });
    return own;
  };
}

function ownTimeouts(own: Written) {
  const { attemptMs, streamTotalMs, firstByteMs } = timeoutsOf({ router_settings: own });
  return {
    ...(own.timeout !== undefined && { attemptMs, firstByteMs }),
    ...(streamTotalMs !== undefined && {
      streamTotalMs,
      firstByteMs: Math.max(firstByteMs, gatewayDefaults.attemptMs),
    }),
  };
}

function shapeOf(name: string) {
  return routerSettings.shape[name as keyof typeof routerSettings.shape];
}
