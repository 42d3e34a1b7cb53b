import type { GatewayError } from '../../core/errors.ts';
import type { Deployment, ErrorClass, RouterSettings } from '../../core/route.ts';

const trafficForTotalFailure = 1_000;
const requestsForShare = 5;
const failureShareMax = 0.5;
const retryAfterMsMax = 600_000;

export interface FailureCounts {
  readonly requestsThisMinute: number;
  readonly failuresThisMinute: number;
  /** Of the error's own class since its counter began; the counter lives as long as the router's cooldown. */
  readonly failuresOfClass: number;
  /** null for errors that no policy speaks about. */
  readonly errorClass: ErrorClass | null;
}

/**
 * How long a deployment rests after this failure; 0 = not at all. Where the operator set `allowed_fails` or a policy
 * for the class, the count decides. Otherwise a deployment with an alternative in its group rests after a 429, a 401, a
 * 404, an answer that says when to come back, or when more than half of at least five requests of the minute failed; one
 * without rests only when a thousand requests failed without exception.
 */
export function cooldownMsAfter(
  error: GatewayError,
  deployment: Deployment,
  router: RouterSettings,
  groupSize: number,
  counts: FailureCounts,
): number {
  if (router.cooldownsDisabled || deployment.cooldownMs === 0 || !isProvidersFault(error)) return 0;
  const { errorClass } = counts;
  const allowed = (errorClass === null ? undefined : router.allowedFailsPolicy[errorClass]) ?? router.allowedFails;
  const rests =
    allowed === null
      ? restsByDefault(error, groupSize, counts)
      : errorClass !== null && counts.failuresOfClass > allowed;
  if (!rests) return 0;
  const askedMs = (error.details.retryAfterSeconds ?? 0) * 1_000;
  return deployment.cooldownMs ?? (askedMs > 0 ? Math.min(askedMs, retryAfterMsMax) : router.cooldownMs);
}

function restsByDefault(error: GatewayError, groupSize: number, counts: FailureCounts): boolean {
  const { requestsThisMinute, failuresThisMinute } = counts;
  if (failuresThisMinute >= trafficForTotalFailure && failuresThisMinute >= requestsThisMinute) return true;
  if (groupSize < 2) return false;
  if (error.status === 429 || error.status === 401 || error.status === 404) return true;
  if ((error.details.retryAfterSeconds ?? 0) > 0) return true;
  return requestsThisMinute >= requestsForShare && failuresThisMinute > requestsThisMinute * failureShareMax;
}

/** A request that is wrong in itself says nothing about the deployment. */
function isProvidersFault(error: GatewayError): boolean {
  const { status } = error;
  return status >= 500 || status === 401 || status === 404 || status === 408 || status === 429;
}
