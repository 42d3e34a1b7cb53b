import type { GatewayError } from '../../core/errors.ts';
import type { Chance } from '../../core/ports.ts';
import type { Deployment, RouterSettings } from '../../core/route.ts';
import { errorClassOf } from './error-class.ts';

const firstBackoffMs = 500;
const backoffMsMax = 8_000;
const retryAfterSecondsMax = 60;

export interface RetrySituation {
  readonly router: RouterSettings;
  readonly group: string;
  /** The deployment that failed. */
  readonly deployment: Deployment;
  /** What the caller asked for; null when nothing. */
  readonly retriesAsked: number | null;
  /** Is there a deployment in the group that is healthy and was not tried by this request? */
  readonly untriedLeft: boolean;
  readonly fallbacksConfigured: boolean;
  /** Is there a fallback list for exactly this kind of failure (context window, content policy)? */
  readonly ownFallbacksConfigured: boolean;
}

/**
 * How many more tries inside the group an error is worth: a policy for its class, else the deployment's own number,
 * else the caller's, else the router's. 0 where trying again cannot help.
 */
export function retriesAllowed(error: GatewayError, situation: RetrySituation): number {
  const errorClass = errorClassOf(error);
  const { router, group, untriedLeft } = situation;
  if (error.code === 'context_window_exceeded' || error.code === 'content_policy_violation') {
    if (situation.ownFallbacksConfigured) return 0;
  }
  if (error.code === 'upstream_authentication' && !untriedLeft) return 0;
  // With nobody else in the group, a fallback is a better bet than the deployment that just failed.
  const isAlone = !untriedLeft && situation.fallbacksConfigured;
  if (error.code === 'upstream_rate_limited' && isAlone) return 0;
  const byPolicy =
    errorClass === null ? undefined : (router.groupRetryPolicy[group]?.[errorClass] ?? router.retryPolicy[errorClass]);
  if (byPolicy !== undefined) return byPolicy;
  if (!error.kind.retryable) return 0;
  const wanted = situation.deployment.retries ?? situation.retriesAsked ?? router.retries;
  if (!isAlone) return wanted;
  // One more try, at once; none where it would cost another time-out, or where the provider asked to be left alone.
  const isFast = error.code !== 'upstream_timeout' && !((error.details.retryAfterSeconds ?? 0) > 0);
  return isFast ? Math.min(wanted, 1) : 0;
}

/**
 * Milliseconds to wait before the try after `failures` failed ones: none when another deployment or a fallback can take
 * over (`othersLeft`), else what the provider asked for, else exponential with full jitter (Brooker, "Exponential Backoff And Jitter", 2015).
 */
export function backoffMs(
  error: GatewayError,
  failures: number,
  router: RouterSettings,
  othersLeft: boolean,
  chance: Chance,
): number {
  if (othersLeft) return router.retryAfterMinMs;
  const asked = error.details.retryAfterSeconds;
  if (asked !== undefined && asked > 0 && asked <= retryAfterSecondsMax) {
    return Math.max(asked * 1_000, router.retryAfterMinMs);
  }
  const ceiling = Math.min(backoffMsMax, firstBackoffMs * 2 ** (failures - 1));
  return Math.max(chance.fraction() * ceiling, router.retryAfterMinMs);
}
