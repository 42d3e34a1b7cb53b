import { isJsonObject, type Json, type JsonObject } from './json.ts';

/*
 * Whether a value fits a JSON Schema, as far as models are asked for one: types, members, items, values, sizes, alternatives,
 * references within the schema. `pattern` and `format` are not looked at, nor what is not known.
 */

/** A schema of alternatives within alternatives takes for ever: what is not decided in so many steps is taken as fitting. */
const stepsMax = 50_000;
const depthMax = 200;

/** Where and why it does not fit; null when it does. */
export function schemaFault(schema: Json, value: Json): string | null {
  return new Check(schema).fault(schema, value, '$', 0);
}

class Check {
  readonly #root: Json;
  #steps = 0;

  constructor(root: Json) {
    this.#root = root;
  }

  fault(schema: Json | undefined, value: Json, at: string, depth: number): string | null {
    if (schema === false) return `${at}: nothing may stand here`;
    if (!isJsonObject(schema) || ++this.#steps > stepsMax || depth > depthMax) return null;
    if (value === null && schema.nullable === true) return null;
    const { $ref: reference } = schema;
    if (typeof reference === 'string') {
      const fault = this.fault(this.#resolved(reference), value, at, depth + 1);
      if (fault !== null) return fault;
    }
    return (
      ofType(schema, value, at) ??
      ofValue(schema, value, at) ??
      this.#ofMembers(schema, value, at, depth) ??
      this.#ofItems(schema, value, at, depth) ??
      this.#ofAlternatives(schema, value, at, depth)
    );
  }

  #fits(schema: Json | undefined, value: Json, at: string, depth: number): boolean {
    return this.fault(schema, value, at, depth + 1) === null;
  }

  #resolved(reference: string): Json | undefined {
    if (!reference.startsWith('#')) return undefined;
    let found: Json | undefined = this.#root;
    for (const step of reference.slice(1).split('/').slice(1)) {
      const name = unescaped(step).replaceAll('~1', '/').replaceAll('~0', '~');
      found = isJsonObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
    }
    return found;
  }

  #ofMembers(schema: JsonObject, value: Json, at: string, depth: number): string | null {
    if (!isJsonObject(value)) return null;
    const { required, properties, additionalProperties: others } = schema;
    for (const name of Array.isArray(required) ? required : []) {
      if (typeof name === 'string' && !Object.hasOwn(value, name)) return `${at}.${name}: missing`;
    }
    const count = Object.keys(value).length;
    const size = sizeFault(count, schema.minProperties, schema.maxProperties, at, 'members');
    if (size !== null) return size;
    const known = isJsonObject(properties) ? properties : {};
    const hasPatterns = isJsonObject(schema.patternProperties);
    for (const [name, member] of Object.entries(value)) {
      const isKnown = Object.hasOwn(known, name);
      if (!isKnown && hasPatterns) continue;
      const of = isKnown ? known[name] : others;
      const fault =
        of === false
          ? `${at}.${name}: not a member of the schema`
          : this.fault(of, member as Json, `${at}.${name}`, depth + 1);
      if (fault !== null) return fault;
    }
    return null;
  }

  #ofItems(schema: JsonObject, value: Json, at: string, depth: number): string | null {
    if (!Array.isArray(value)) return null;
    const size = sizeFault(value.length, schema.minItems, schema.maxItems, at, 'items');
    if (size !== null) return size;
    const first = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
    for (const [index, item] of value.entries()) {
      const fault = this.fault(index < first.length ? first[index] : schema.items, item, `${at}[${index}]`, depth + 1);
      if (fault !== null) return fault;
    }
    return null;
  }

  #ofAlternatives(schema: JsonObject, value: Json, at: string, depth: number): string | null {
    for (const one of listOf(schema.allOf)) {
      const fault = this.fault(one, value, at, depth + 1);
      if (fault !== null) return fault;
    }
    const any = listOf(schema.anyOf);
    if (any.length > 0 && !any.some((one) => this.#fits(one, value, at, depth))) return `${at}: fits none of anyOf`;
    const one = listOf(schema.oneOf);
    if (one.length > 0) {
      const fitting = one.filter((each) => this.#fits(each, value, at, depth)).length;
      if (fitting !== 1) return `${at}: fits ${fitting} of oneOf`;
    }
    if (schema.not !== undefined && this.#fits(schema.not, value, at, depth)) return `${at}: fits what it must not`;
    if (schema.if === undefined) return null;
    return this.fault(this.#fits(schema.if, value, at, depth) ? schema.then : schema.else, value, at, depth + 1);
  }
}

/** A step of a reference is written as in an address; what is not, is taken as it stands. */
function unescaped(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

function ofType({ type }: JsonObject, value: Json, at: string): string | null {
  const types = (Array.isArray(type) ? type : [type]).filter((one) => typeof one === 'string');
  if (types.length === 0 || types.some((one) => isOf(one.toLowerCase(), value))) return null;
  return `${at}: expected ${types.join(' or ')}, found ${nameOf(value)}`;
}

function isOf(type: string, value: Json): boolean {
  switch (type) {
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value);
    case 'object':
      return isJsonObject(value);
    default:
      return nameOf(value) === type;
  }
}

function nameOf(value: Json): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function ofValue(schema: JsonObject, value: Json, at: string): string | null {
  const { enum: values, const: only } = schema;
  if (Array.isArray(values) && !values.some((one) => isSame(one, value))) return `${at}: not one of enum`;
  if (only !== undefined && !isSame(only, value)) return `${at}: not the value it must be`;
  if (typeof value === 'string')
    return sizeFault([...value].length, schema.minLength, schema.maxLength, at, 'characters');
  if (typeof value !== 'number') return null;
  const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below, multipleOf: step } = schema;
  if (typeof minimum === 'number' && value < minimum) return `${at}: less than ${minimum}`;
  if (typeof maximum === 'number' && value > maximum) return `${at}: more than ${maximum}`;
  if (typeof above === 'number' && value <= above) return `${at}: not more than ${above}`;
  if (typeof below === 'number' && value >= below) return `${at}: not less than ${below}`;
  if (typeof step !== 'number' || step <= 0) return null;
  const times = value / step;
  return Math.abs(times - Math.round(times)) < 1e-9 * Math.max(1, Math.abs(times))
    ? null
    : `${at}: no multiple of ${step}`;
}

function sizeFault(
  size: number,
  min: Json | undefined,
  max: Json | undefined,
  at: string,
  what: string,
): string | null {
  if (typeof min === 'number' && size < min) return `${at}: fewer than ${min} ${what}`;
  return typeof max === 'number' && size > max ? `${at}: more than ${max} ${what}` : null;
}

function listOf(written: Json | undefined): readonly Json[] {
  return Array.isArray(written) ? written : [];
}

function isSame(one: Json, other: Json): boolean {
  if (typeof one !== 'object' || one === null || typeof other !== 'object' || other === null) return one === other;
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  const names = Object.keys(value).sort();
  return Object.fromEntries(names.map((name) => [name, sorted(value[name] as Json)]));
}
