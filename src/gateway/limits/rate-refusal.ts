import { GatewayError } from '../../core/errors.ts';
import type { RateLimitDenial, RateLimitRule } from '../../core/limits.ts';

/** The caller's 429 when a rate limit has no room: whose, which, the figures, and when to come back. */
export function rateLimited(denial: RateLimitDenial, now: number): GatewayError {
  const { rule, used, resetAt } = denial;
  const seconds = rule.metric === 'parallel' ? 1 : Math.max(1, Math.ceil((resetAt - now) / 1_000));
  const reset = rule.metric === 'parallel' ? 'when a request ends' : new Date(resetAt).toISOString();
  const type = rule.metric === 'parallel' ? 'max_parallel_requests' : rule.metric;
  const remaining = Math.max(0, rule.limit - used);
  return new GatewayError(
    'rate_limited',
    `Rate limit exceeded for ${limitName(rule)}: ${whose(rule)}. Limit type: ${type}. ` +
      `Current limit: ${rule.limit}, Remaining: ${remaining}. Limit resets at: ${reset}`,
    {
      retryAfterSeconds: seconds,
      headers: { rate_limit_type: type, reset_at: String(Math.ceil(now / 1_000) + seconds) },
    },
  );
}

/** The name under which clients know a limit's scope: `api_key`, `model_per_key`, `team`. */
export function limitName({ scope, model }: RateLimitRule): string {
  const name = scope === 'key' ? 'api_key' : scope;
  if (model === null) return name;
  return scope === 'key' ? 'model_per_key' : `model_per_${name}`;
}

function whose({ id, model }: RateLimitRule): string {
  return model === null ? id : `${id}:${model}`;
}
