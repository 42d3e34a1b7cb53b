import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

/** Members that hold schemas under names of the caller's choice. */
const mapsOfSchemas: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions', 'patternProperties']);
/** Members that hold values, not schemas. */
const values: ReadonlySet<string> = new Set(['enum', 'default', 'example', 'examples', 'const', 'required']);
/** Bounds that the format writes as text, being 64 bits wide. */
const counts: ReadonlySet<string> = new Set([
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'minProperties',
  'maxProperties',
]);

/** The format's own schemas (types in capitals, `nullable`) as the JSON Schema that all others speak. */
export function jsonSchemaOf(schema: Json | undefined): JsonObject {
  return isJsonObject(schema) ? converted(schema) : {};
}

function converted(schema: JsonObject): JsonObject {
  const members: [string, Json | undefined][] = [];
  for (const [name, value] of Object.entries(schema)) {
    if (name === 'type' && typeof value === 'string') {
      const type = value.toLowerCase();
      members.push([name, schema.nullable === true && type !== 'null' ? [type, 'null'] : type]);
    } else if (name === 'nullable' || name === 'propertyOrdering' || name === 'property_ordering') continue;
    else if (values.has(name)) members.push([name, value]);
    else if (counts.has(name) && typeof value === 'string' && /^\d+$/.test(value)) members.push([name, Number(value)]);
    else if (mapsOfSchemas.has(name) && isJsonObject(value)) {
      members.push([name, Object.fromEntries(Object.entries(value).map(([key, one]) => [key, nested(one)]))]);
    } else members.push([name, nested(value)]);
  }
  return Object.fromEntries(members) as JsonObject;
}

function nested(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((one) => nested(one) as Json);
  return isJsonObject(value) ? converted(value) : value;
}
