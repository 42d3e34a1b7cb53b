import type { Dialect, UpstreamErrorFacts } from '../../core/dialect.ts';
import type { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { factsOf, kindOfText } from '../error-facts.ts';
import { openaiErrors } from '../openai-chat/errors.ts';

/** Codes of a failed answer, with the HTTP status that the same failure has when it is told before the stream. */
const statusByCode: Readonly<Record<string, number>> = {
  server_error: 500,
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
  context_length_exceeded: 400,
  invalid_prompt: 400,
  invalid_request_error: 400,
  server_is_overloaded: 503,
  slow_down: 503,
};

/**
 * The event that ends a broken stream. `error` stands in it twice: beside the type, as the format has it, and as an
 * object, which is where the official clients look before they raise.
 */
export function errorEvent(error: GatewayError, requestId: string): JsonObject {
  const told = openaiErrors.encode(error, requestId).error as JsonObject;
  return {
    type: 'error',
    code: error.code,
    message: error.message,
    param: error.details.param ?? null,
    sequence_number: 0,
    error: told,
  };
}

export const responsesErrors: Dialect['errors'] = {
  ...openaiErrors,
  streamEvent: (error, requestId) =>
    Buffer.from(`event: error\ndata: ${JSON.stringify(errorEvent(error, requestId))}\n\n`),
};

/** A failure told inside a stream or in an answer: `{type: "error", …}` or a response whose status is `failed`. */
export function failureFacts(event: JsonObject): UpstreamErrorFacts & { readonly status: number | undefined } {
  const response = isJsonObject(event.response) ? event.response : event;
  const source = isJsonObject(response.error) || event.type !== 'error' ? { error: response.error ?? {} } : event;
  const facts = factsOf(source);
  const status = facts.code === undefined ? undefined : statusByCode[facts.code];
  const type = facts.type === 'error' ? undefined : facts.type;
  return { ...facts, type, kind: facts.kind ?? kindOfText(facts.message ?? ''), status };
}
