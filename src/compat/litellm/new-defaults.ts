import type { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';

/**
 * The body of something that is made, with the operator's values where it says nothing. What the operator wrote is read as
 * a body is; a value that cannot be read refuses the making, for what is made would be less bound than was meant.
 */
export function withDefaults<Body extends object>(
  body: Body,
  written: JsonObject | null,
  schema: z.ZodType<Partial<Body>>,
  name: string,
): Body {
  if (written === null) return body;
  const { data, error } = schema.safeParse(written);
  if (data === undefined) {
    const [issue] = error?.issues ?? [];
    throw new GatewayError(
      'malformed_request',
      `litellm_settings.${name} cannot be read, so nothing is made: ${issue?.path.join('.')}: ${issue?.message}`,
    );
  }
  const asked = { ...body } as Record<string, unknown>;
  for (const [field, value] of Object.entries(data)) {
    if (value !== undefined && value !== null && (asked[field] ?? null) === null) asked[field] = value;
  }
  return asked as Body;
}
