import { GatewayError } from '../../core/errors.ts';
import type { Admitted } from '../../core/exchange.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { schemaFault } from '../../core/json-schema.ts';
import type { NeutralResponse } from '../../core/neutral.ts';

/** Why a whole answer is not what a caller's JSON schema asks for; null when it is, or when none was asked for. */
export function misfitOf(exchange: Admitted, bytes: Uint8Array): GatewayError | null {
  const schema = schemaOf(exchange);
  if (schema === null) return null;
  for (const { content } of choicesIn(exchange, bytes)) {
    // What calls a tool, or refuses, answers later, or not at all.
    if (content.some(({ type }) => type === 'tool_call' || type === 'refusal')) continue;
    const text = content.map((block) => (block.type === 'text' ? block.text : '')).join('');
    const fault = faultOf(schema, text);
    if (fault === null) continue;
    return new GatewayError(
      'upstream_connection',
      `litellm.JSONSchemaValidationError: model=${exchange.model} returned an answer that does not fit the JSON schema asked for: ${fault}.`,
    );
  }
  return null;
}

function schemaOf({ operation, dialect, body, facts }: Admitted): JsonObject | null {
  if (operation !== 'chat' || !facts.needs.jsonSchema) return null;
  try {
    const { responseFormat } = dialect.request.decode(body);
    return responseFormat?.type === 'json_schema' ? responseFormat.schema : null;
  } catch {
    return null;
  }
}

function choicesIn({ dialect }: Admitted, bytes: Uint8Array): NeutralResponse['choices'] {
  try {
    const body: unknown = JSON.parse(Buffer.from(bytes).toString());
    return isJsonObject(body) ? dialect.response.decode(body).choices : [];
  } catch {
    return [];
  }
}

function faultOf(schema: JsonObject, text: string): string | null {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return 'it is no JSON';
  }
  return schemaFault(schema, value);
}
