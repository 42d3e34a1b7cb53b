import type { GatewayError } from '../../core/errors.ts';
import type { ErrorClass } from '../../core/route.ts';

/** The class under which retry and cooldown policies know an error; null for what no policy speaks about. */
export function errorClassOf(error: GatewayError): ErrorClass | null {
  switch (error.code) {
    case 'upstream_bad_request':
    case 'upstream_unprocessable':
    case 'unsupported_parameter':
    case 'context_window_exceeded':
      return 'BadRequest';
    case 'content_policy_violation':
      return 'ContentPolicyViolation';
    case 'upstream_authentication':
      return 'Authentication';
    case 'upstream_timeout':
      return 'Timeout';
    case 'upstream_rate_limited':
      return 'RateLimit';
    case 'upstream_error':
    case 'upstream_unavailable':
    case 'upstream_connection':
      return 'InternalServer';
    default:
      return null;
  }
}
