import type { JsonObject } from './json.ts';

/** How an error is told in the three families of wire formats. */
interface ErrorKind {
  readonly status: number;
  /** `type` in an OpenAI-style error body. */
  readonly type: string;
  /** `type` in an Anthropic-style error body. */
  readonly anthropicType: string;
  /** May another attempt, at this or another deployment, succeed where this one failed? */
  readonly retryable: boolean;
}

const kind = (status: number, type: string, anthropicType: string, retryable = false): ErrorKind => ({
  status,
  type,
  anthropicType,
  retryable,
});

/** Every error the gateway can answer with, side by side. The message belongs to the place that raises it. */
export const errorKinds = {
  // The caller's request
  malformed_request: kind(400, 'invalid_request_error', 'invalid_request_error'),
  unsupported_parameter: kind(400, 'invalid_request_error', 'invalid_request_error'),
  unknown_model: kind(400, 'invalid_request_error', 'invalid_request_error'),
  client_credentials_refused: kind(400, 'invalid_request_error', 'invalid_request_error'),
  no_capable_deployment: kind(400, 'invalid_request_error', 'invalid_request_error'),
  previous_response_not_found: kind(400, 'invalid_request_error', 'invalid_request_error'),
  context_window_exceeded: kind(400, 'invalid_request_error', 'invalid_request_error'),
  content_policy_violation: kind(400, 'invalid_request_error', 'invalid_request_error'),
  not_found: kind(404, 'not_found_error', 'not_found_error'),
  idempotency_conflict: kind(409, 'invalid_request_error', 'invalid_request_error'),
  idempotency_mismatch: kind(422, 'invalid_request_error', 'invalid_request_error'),
  connection_too_old: kind(400, 'invalid_request_error', 'invalid_request_error'),
  method_not_allowed: kind(405, 'invalid_request_error', 'invalid_request_error'),
  request_timed_out: kind(408, 'timeout_error', 'timeout_error'),
  body_too_large: kind(413, 'invalid_request_error', 'request_too_large'),
  unsupported_media_type: kind(415, 'invalid_request_error', 'invalid_request_error'),
  headers_too_large: kind(431, 'invalid_request_error', 'invalid_request_error'),
  // Who is asking
  no_key: kind(401, 'auth_error', 'authentication_error'),
  malformed_key: kind(401, 'auth_error', 'authentication_error'),
  unknown_key: kind(401, 'token_not_found_in_db', 'authentication_error'),
  expired_key: kind(401, 'expired_key', 'authentication_error'),
  blocked: kind(401, 'auth_error', 'authentication_error'),
  key_model_denied: kind(403, 'key_model_access_denied', 'permission_error'),
  team_model_denied: kind(403, 'team_model_access_denied', 'permission_error'),
  user_model_denied: kind(403, 'user_model_access_denied', 'permission_error'),
  organization_model_denied: kind(403, 'org_model_access_denied', 'permission_error'),
  project_model_denied: kind(403, 'project_model_access_denied', 'permission_error'),
  tag_model_denied: kind(401, 'auth_error', 'permission_error'),
  address_denied: kind(403, 'auth_error', 'permission_error'),
  route_denied: kind(403, 'auth_error', 'permission_error'),
  // How much
  budget_exceeded: kind(429, 'budget_exceeded', 'rate_limit_error'),
  budget_unpriceable: kind(400, 'budget_exceeded', 'invalid_request_error'),
  rate_limited: kind(429, 'throttling_error', 'rate_limit_error'),
  // The providers
  all_cooling_down: kind(429, 'None', 'rate_limit_error'),
  deployments_over_budget: kind(429, 'None', 'rate_limit_error'),
  upstream_bad_request: kind(400, 'invalid_request_error', 'invalid_request_error'),
  upstream_authentication: kind(401, 'authentication_error', 'authentication_error', true),
  upstream_permission: kind(403, 'permission_error', 'permission_error'),
  upstream_not_found: kind(404, 'not_found_error', 'not_found_error'),
  upstream_timeout: kind(408, 'timeout_error', 'timeout_error', true),
  upstream_conflict: kind(409, 'invalid_request_error', 'invalid_request_error', true),
  upstream_unprocessable: kind(422, 'invalid_request_error', 'invalid_request_error'),
  upstream_rate_limited: kind(429, 'throttling_error', 'rate_limit_error', true),
  upstream_error: kind(500, 'internal_server_error', 'api_error', true),
  upstream_unavailable: kind(503, 'internal_server_error', 'overloaded_error', true),
  /** More than is taken in one piece: asked again it would be as large. */
  upstream_answer_too_large: kind(502, 'internal_server_error', 'api_error'),
  /** Not HTTP at all: refused, reset, cut short, or not in the provider's own format. */
  upstream_connection: kind(500, 'internal_server_error', 'api_error', true),
  // Ourselves
  internal: kind(500, 'internal_server_error', 'api_error'),
  budget_store_unavailable: kind(503, 'no_db_connection', 'overloaded_error'),
  shutting_down: kind(503, 'internal_server_error', 'overloaded_error'),
  overloaded: kind(503, 'internal_server_error', 'overloaded_error'),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorKinds;

export interface ErrorDetails {
  /** The field or query parameter at fault, as the caller spelled it. */
  readonly param?: string;
  /** Replaces the table's status, where a provider's own status is passed on. */
  readonly status?: number;
  /** Replaces the table's type, where a provider's own type is passed on. */
  readonly type?: string;
  readonly retryAfterSeconds?: number;
  /** Extra answer headers, lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The key's budget for one model is spent. */
  readonly ofModelBudget?: boolean;
  /** A refusal by the budget of the key as a whole. */
  readonly ofKeyBudget?: boolean;
  /** How a provider failed, in words that hold nothing of its own and no address: for whoever may ask. */
  readonly reason?: string;
  /** Fields of the provider's own error that callers look at (`innererror`, `provider_specific_fields`). */
  readonly fields?: JsonObject;
}

/** The one error that crosses stations. Its message is for the caller: no secret, no address with a query, no stack. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message);
    this.name = 'GatewayError';
    this.code = code;
    this.details = details;
  }

  get kind(): ErrorKind {
    return errorKinds[this.code];
  }

  get status(): number {
    return this.details.status ?? this.kind.status;
  }

  get type(): string {
    return this.details.type ?? this.kind.type;
  }
}

/** Turns anything thrown into a GatewayError without letting its text reach the caller. */
export function asGatewayError(cause: unknown): GatewayError {
  if (cause instanceof GatewayError) return cause;
  const error = new GatewayError(
    'internal',
    'Internal error. The request id in the answer headers finds it in the log.',
  );
  error.cause = cause;
  return error;
}
