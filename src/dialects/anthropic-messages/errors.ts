import type { Dialect } from '../../core/dialect.ts';
import type { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { errorFacts } from '../error-facts.ts';

/** Where a provider's own status is passed on, the type follows the status. */
const typeByStatus: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  529: 'overloaded_error',
};

function encode(error: GatewayError, requestId: string): JsonObject {
  const type =
    (error.details.status === undefined ? undefined : typeByStatus[error.status]) ?? error.kind.anthropicType;
  return { type: 'error', error: { type, message: error.message }, request_id: requestId };
}

/** https://docs.anthropic.com/en/api/errors */
export const anthropicErrors: Dialect['errors'] = {
  encode,
  streamEvent: (error, requestId) => Buffer.from(`event: error\ndata: ${JSON.stringify(encode(error, requestId))}\n\n`),
  decode: (_status, body) => errorFacts(body),
};

const statusByType = new Map([
  ...Object.entries(typeByStatus).map(([status, type]) => [type, Number(status)] as const),
  ['timeout_error', 504] as const,
  ['billing_error', 402] as const,
]);

/** HTTP status that an error told in a stream would have had. */
export function statusOfType(type: string | undefined): number | undefined {
  return type === undefined ? undefined : statusByType.get(type);
}
