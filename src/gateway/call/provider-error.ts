import type { UpstreamErrorFacts } from '../../core/dialect.ts';
import { type ErrorCode, type ErrorDetails, GatewayError } from '../../core/errors.ts';
import type { CallerHeaders } from '../../core/exchange.ts';
import type { JsonObject } from '../../core/json.ts';
import type { TransportError } from '../../core/ports.ts';
import type { Provider } from '../../core/provider.ts';
import { scrub } from '../../core/scrub.ts';
import type { Secret } from '../../core/secret.ts';

const messageLengthMax = 2_000;

/** Exception names under which existing clients know the failures of providers. */
const classNames: Partial<Record<ErrorCode, string>> = {
  context_window_exceeded: 'ContextWindowExceededError',
  content_policy_violation: 'ContentPolicyViolationError',
  upstream_bad_request: 'BadRequestError',
  upstream_authentication: 'AuthenticationError',
  upstream_permission: 'PermissionDeniedError',
  upstream_not_found: 'NotFoundError',
  upstream_timeout: 'Timeout',
  upstream_conflict: 'APIError',
  upstream_unprocessable: 'UnprocessableEntityError',
  upstream_rate_limited: 'RateLimitError',
  upstream_error: 'InternalServerError',
  upstream_unavailable: 'ServiceUnavailableError',
  upstream_connection: 'APIConnectionError',
};

/** A provider's failure in the gateway's words: class, provider, message, as LiteLLM's clients expect them. */
export function providerError(
  code: ErrorCode,
  provider: Provider,
  message: string,
  secrets: readonly Secret[],
  details: ErrorDetails = {},
): GatewayError {
  const clean = scrub(message, secrets);
  const short = clean.length > messageLengthMax ? `${clean.slice(0, messageLengthMax)}…` : clean;
  const name = provider.name.replace(/[^A-Za-z0-9]/g, '');
  return new GatewayError(code, `litellm.${classNames[code] ?? 'APIError'}: ${name}Exception - ${short}`, details);
}

/** Every text in it, whatever the provider put there. */
function scrubbed(fields: JsonObject, secrets: readonly Secret[]): JsonObject {
  return JSON.parse(JSON.stringify(fields), (_, value: unknown) =>
    typeof value === 'string' ? scrub(value, secrets) : value,
  ) as JsonObject;
}

/** The error for an answer whose status is not a success. */
export function errorOfStatus(
  provider: Provider,
  status: number,
  headers: CallerHeaders,
  facts: UpstreamErrorFacts,
  secrets: readonly Secret[],
  now: number,
): GatewayError {
  const code = codeOf(status, facts);
  const message = facts.message ?? unreadable(status, headers);
  return providerError(code, provider, message, secrets, {
    reason: `answered ${status}`,
    ...(code === 'context_window_exceeded' || code === 'content_policy_violation' || status < 400 ? {} : { status }),
    ...(facts.type === undefined ? {} : { type: scrub(facts.type, secrets) }),
    ...(facts.param === undefined ? {} : { param: scrub(facts.param, secrets) }),
    ...(facts.fields === undefined ? {} : { fields: scrubbed(facts.fields, secrets) }),
    ...retryAfter(headers, now),
  });
}

/** The error a provider told inside a stream that had begun with a success. */
export function errorOfEvent(
  provider: Provider,
  facts: UpstreamErrorFacts & { readonly status: number | undefined },
  secrets: readonly Secret[],
): GatewayError {
  const status = facts.status !== undefined && facts.status >= 400 && facts.status < 600 ? facts.status : 500;
  const code = codeOf(status, facts);
  return providerError(code, provider, facts.message ?? 'the stream ended with an error', secrets, {
    ...(status === 500 ? {} : { status }),
    ...(facts.type === undefined ? {} : { type: facts.type }),
  });
}

export function errorOfTransport(provider: Provider, error: TransportError, secrets: readonly Secret[]): GatewayError {
  const code = error.kind === 'connect_timeout' ? 'upstream_timeout' : 'upstream_connection';
  return providerError(code, provider, error.message, secrets, { reason: error.message });
}

export function timeoutError(provider: Provider, phase: string, afterMs: number): GatewayError {
  return providerError('upstream_timeout', provider, `${phase} after ${formatSeconds(afterMs)} s`, [], {
    reason: 'timed out',
  });
}

function formatSeconds(milliseconds: number): string {
  return String(Math.round(milliseconds / 10) / 100);
}

function codeOf(status: number, facts: UpstreamErrorFacts): ErrorCode {
  if (facts.kind === 'context_window') return 'context_window_exceeded';
  if (facts.kind === 'content_policy') return 'content_policy_violation';
  switch (status) {
    case 401:
    case 402:
      return 'upstream_authentication';
    case 403:
      return 'upstream_permission';
    case 404:
      return 'upstream_not_found';
    case 408:
    case 504:
      return 'upstream_timeout';
    case 409:
      return 'upstream_conflict';
    case 422:
      return 'upstream_unprocessable';
    case 429:
      return 'upstream_rate_limited';
    case 503:
    case 529:
      return 'upstream_unavailable';
    default:
      if (status >= 500) return 'upstream_error';
      return status >= 400 ? 'upstream_bad_request' : 'upstream_connection';
  }
}

/** For bodies in no known format: a load balancer's page says nothing worth repeating. */
function unreadable(status: number, headers: CallerHeaders): string {
  const contentType = headers['content-type'];
  const kind = typeof contentType === 'string' ? contentType.split(';', 1)[0]?.trim().slice(0, 60) : undefined;
  const what = kind?.includes('html') ? 'an HTML page' : kind ? `a body of type ${kind}` : 'no readable body';
  if (status >= 300 && status < 400) return `answered ${status}, a redirect, which is not followed; check api_base`;
  return `answered ${status} with ${what} instead of an error message`;
}

/** `retry-after` in seconds or as a date, or the millisecond header some providers send. */
function retryAfter(headers: CallerHeaders, now: number): { retryAfterSeconds?: number } {
  const milliseconds = Number(headers['retry-after-ms']);
  if (Number.isFinite(milliseconds) && milliseconds > 0) return { retryAfterSeconds: milliseconds / 1_000 };
  const text = headers['retry-after'];
  if (typeof text !== 'string' || text === '') return {};
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return seconds >= 0 ? { retryAfterSeconds: seconds } : {};
  const at = Date.parse(text);
  return Number.isNaN(at) ? {} : { retryAfterSeconds: Math.max(0, (at - now) / 1_000) };
}
