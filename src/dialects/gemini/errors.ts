import type { Dialect, UpstreamErrorFacts } from '../../core/dialect.ts';
import type { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { errorFacts, factsOf } from '../error-facts.ts';

/** Google's names for statuses: https://cloud.google.com/apis/design/errors */
const nameByStatus: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'UNIMPLEMENTED',
  408: 'DEADLINE_EXCEEDED',
  409: 'ABORTED',
  413: 'INVALID_ARGUMENT',
  422: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};

function encode(error: GatewayError): JsonObject {
  const { status, message } = error;
  const name = nameByStatus[status] ?? (status >= 500 ? 'INTERNAL' : 'INVALID_ARGUMENT');
  return { error: { code: status, message, status: name } };
}

/** https://ai.google.dev/api: errors are `google.rpc.Status` as JSON. */
export const googleErrors: Dialect['errors'] = {
  encode,
  streamEvent: (error) => Buffer.from(`data: ${JSON.stringify(encode(error))}\n\n`),
  decode: (_status, body) => named(errorFacts(body)),
};

/** The facts of an error told with a success, or inside a stream, with the status it would have had. */
export function googleErrorFacts(body: JsonObject): UpstreamErrorFacts & { readonly status: number | undefined } {
  const facts = named(factsOf(body));
  const code = isJsonObject(body.error) ? body.error.code : undefined;
  return { ...facts, status: typeof code === 'number' && code >= 400 && code < 600 ? code : undefined };
}

/** Bodies come as an object, or in a list of one; `status` says what kind it is in words. */
function named(facts: UpstreamErrorFacts): UpstreamErrorFacts {
  const text = facts.message?.toLowerCase() ?? '';
  const isTooLong = text.includes('input token count') && text.includes('exceeds');
  return isTooLong ? { ...facts, kind: 'context_window' } : facts;
}
