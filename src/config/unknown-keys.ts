import type { z } from 'zod';
import type { Path } from './diagnostic.ts';
import { ownSections, unwrapped } from './field.ts';
import { isMap } from './read-file.ts';

export interface UnknownKey {
  readonly path: Path;
  readonly validKeys: readonly string[];
  /** True in a section that only we have: then it is an error. */
  readonly isError: boolean;
}

/** Walks a schema and a value side by side and finds the keys the schema does not name. */
export function findUnknownKeys(schema: z.core.$ZodType, value: unknown, path: Path = []): UnknownKey[] {
  const found: UnknownKey[] = [];
  visit(schema, value, path, found);
  return found;
}

function visit(wrapped: z.core.$ZodType, value: unknown, path: Path, found: UnknownKey[]): void {
  if (typeof value !== 'object' || value === null) return;
  const schema = unwrapped(wrapped);
  const def = (schema as z.core.$ZodTypes)._zod.def;
  if (def.type === 'object' && isMap(value)) {
    const validKeys = Object.keys(def.shape);
    for (const [key, inner] of Object.entries(value)) {
      const keySchema = Object.hasOwn(def.shape, key) ? def.shape[key] : undefined;
      if (keySchema !== undefined) visit(keySchema, inner, [...path, key], found);
      else if (def.catchall === undefined) {
        found.push({ path: [...path, key], validKeys, isError: ownSections.has(schema as z.ZodType) });
      }
    }
  } else if (def.type === 'array' && Array.isArray(value)) {
    for (const [index, item] of value.entries()) visit(def.element, item, [...path, index], found);
  } else if (def.type === 'record' && isMap(value)) {
    for (const [key, item] of Object.entries(value)) visit(def.valueType, item, [...path, key], found);
  } else if (def.type === 'union') {
    const shape = Array.isArray(value) ? 'array' : 'object';
    const option = def.options.find((candidate) => {
      const type = (unwrapped(candidate) as z.core.$ZodTypes)._zod.def.type;
      return type === shape || (shape === 'object' && type === 'record');
    });
    if (option !== undefined) visit(option, value, path, found);
  }
}
