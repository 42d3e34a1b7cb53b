import type { Dialect, EncodeOptions } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { NeutralRequest } from '../../core/neutral.ts';

/**
 * The request in a provider's words. What its format has no word for, and the operator or the caller allows by name, stands in
 * it as the caller wrote it: where the format has a place for what it does not know. Throws GatewayError.
 */
export function encodedRequest(
  dialect: Dialect,
  request: NeutralRequest,
  options: EncodeOptions,
  asked: JsonObject,
): JsonObject {
  const { encode } = dialect.request;
  if (options.allowedParams.length === 0) return encode(request, options);
  const letThrough = new Set<string>();
  const told = encode(structuredClone(request), { ...options, letThrough });
  if (letThrough.size === 0) return told;
  for (const name of letThrough) if (Object.hasOwn(asked, name)) request.extra[name] = asked[name];
  const whole = encode(request, options);
  const text = JSON.stringify(whole);
  const lost = [...letThrough].filter((name) => !text.includes(`${JSON.stringify(name)}:`));
  if (lost.length === 0) return whole;
  const list = lost.map((name) => `'${name}'`).join(', ');
  const message = `allowed_openai_params: the provider’s format has no place where [${list}] could stand.`;
  throw new GatewayError('unsupported_parameter', message, { param: lost[0]! });
}
