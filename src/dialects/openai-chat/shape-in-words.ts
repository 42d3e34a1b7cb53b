import type { EncodeOptions } from '../../core/dialect.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

/**
 * For a model that answers in JSON and takes no schema for it: the schema is told in words, behind what the system says, and
 * JSON of any shape is asked for. undefined where there is nothing to do.
 */
export function shapeInWords(
  { response_format: format }: JsonObject,
  messages: Json | undefined,
  { traits, allowedParams, additionalDropParams }: EncodeOptions,
): { readonly responseFormat: JsonObject; readonly messages: Json[] } | undefined {
  if (traits.supportsJsonSchema || !isJsonObject(format) || format.type !== 'json_schema') return undefined;
  if (allowedParams.includes('response_format') || additionalDropParams.includes('response_format')) return undefined;
  const { json_schema: shape } = format;
  if (!isJsonObject(shape) || !Array.isArray(messages)) return undefined;
  const { schema, description } = shape;
  const said = typeof description === 'string' && description !== '' ? ` ${description}` : '';
  const content = `Answer with one JSON object that fits this JSON schema, and with nothing else.${said}\n${JSON.stringify(schema ?? {})}`;
  const first = messages.findIndex((message) => !isJsonObject(message) || !systemRoles.has(message.role));
  const at = first === -1 ? messages.length : first;
  return {
    responseFormat: { type: 'json_object' },
    messages: messages.toSpliced(at, 0, { role: 'system', content }),
  };
}

const systemRoles: ReadonlySet<Json | undefined> = new Set(['system', 'developer']);
