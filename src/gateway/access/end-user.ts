import type { Received } from '../../core/exchange.ts';
import { isJsonObject, type Json } from '../../core/json.ts';

const endUserLengthMax = 256;

/**
 * The end user a request is made for: gateway headers, then the format's own field (`user`, `metadata.user_id`), then
 * `litellm_metadata.user`, `metadata.user_id`, `safety_identifier`. null when nobody is named.
 */
export function endUserOf(received: Received): string | null {
  const { options, facts, body } = received;
  const over = isJsonObject(body.litellm_metadata) ? body.litellm_metadata.user : undefined;
  return (
    named(options.endUser) ??
    named(facts.endUser) ??
    named(body.user) ??
    named(over) ??
    named(options.metadata.user_id) ??
    named(body.safety_identifier)
  );
}

function named(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, endUserLengthMax) : null;
}
