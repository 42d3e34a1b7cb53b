import { GatewayError } from '../../core/errors.ts';
import type { CallerHeaders, Received } from '../../core/exchange.ts';
import type { Principal } from '../../core/identity.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { GatewaySettings } from '../../core/route.ts';

/* What an operator demands of every request, whoever makes it. */

/** The address that a request comes from, as far as the operator trusts what stands before the gateway. */
export function callerAddress(
  settings: Pick<GatewaySettings, 'trustsForwardedFor'>,
  headers: CallerHeaders,
  ofConnection: string | null,
): string | null {
  if (!settings.trustsForwardedFor) return ofConnection;
  const forwarded = headers['x-forwarded-for'];
  const first = (Array.isArray(forwarded) ? forwarded[0] : forwarded)?.split(',')[0]?.trim();
  return first === undefined || first === '' ? ofConnection : first;
}

/** Throws GatewayError('address_denied'). Requests of the gateway itself come from nowhere. */
export function requireAllowedAddress(settings: Pick<GatewaySettings, 'addressAllowed'>, address: string | null): void {
  if (settings.addressAllowed === null || address === null || settings.addressAllowed(address)) return;
  throw new GatewayError('address_denied', 'Access forbidden: IP address not allowed.');
}

/** Throws GatewayError('malformed_request') for a field that is missing, or tags where callers may set none. */
export function requireParams({ body, options, snapshot }: Received, principal: Principal): void {
  if (principal.kind !== 'virtual_key') return;
  const { enforcedParams, callerTagsRejected } = snapshot.settings;
  for (const list of [enforcedParams, principal.enforcedParams ?? []]) {
    for (const name of list) {
      if (isPresent(body, name)) continue;
      throw new GatewayError(
        'malformed_request',
        `BadRequest please pass param=${name} in request body. This is a required param.`,
        { param: name },
      );
    }
  }
  if (callerTagsRejected && options.tags.length > 0) {
    throw new GatewayError(
      'malformed_request',
      'Client-side tags are not allowed here: the tags of a request are those of its key.',
      { param: 'metadata.tags' },
    );
  }
}

/** `metadata.generation_name` is looked for in `metadata`, or in `litellm_metadata`. */
function isPresent(body: JsonObject, name: string): boolean {
  const [first = '', ...rest] = name.split('.');
  const places = first === 'metadata' ? [body.metadata, body.litellm_metadata] : [body[first]];
  return places.some((place) => {
    let value: Json | undefined = place;
    for (const step of rest) value = isJsonObject(value) ? value[step] : undefined;
    return value !== undefined && value !== null && value !== '';
  });
}
