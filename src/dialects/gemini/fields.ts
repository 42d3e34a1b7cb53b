import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { malformed, nameOf } from '../body-checks.ts';

/*
 * The format is protocol buffers as JSON: a field may be written in camel case, as it is documented, or in snake case.
 */

const snakeNames = new Map<string, string>();

function snakeOf(name: string): string {
  let snake = snakeNames.get(name);
  if (snake === undefined) {
    snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    snakeNames.set(name, snake);
  }
  return snake;
}

/** The value of a field under either name; undefined when it is absent or null. */
export function field(object: JsonObject, name: string): Json | undefined {
  const value = own(object, name) ?? own(object, snakeOf(name));
  return value === null ? undefined : value;
}

/** The name under which the field stands in this object; the documented one when it does not. */
export function nameIn(object: JsonObject, name: string): string {
  return !Object.hasOwn(object, name) && Object.hasOwn(object, snakeOf(name)) ? snakeOf(name) : name;
}

function own(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

export function camelCased(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export function objectField(object: JsonObject, name: string, path: string): JsonObject | undefined {
  const value = field(object, name);
  if (value === undefined || isJsonObject(value)) return value;
  throw malformed(path, `expected an object, got ${nameOf(value)}`);
}

export function listField(object: JsonObject, name: string, path: string): Json[] {
  const value = field(object, name);
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  throw malformed(path, `expected a list, got ${nameOf(value)}`);
}

export function stringField(object: JsonObject, name: string, path: string): string | undefined {
  const value = field(object, name);
  if (value === undefined || typeof value === 'string') return value;
  throw malformed(path, `expected a string, got ${nameOf(value)}`);
}

export function numberField(object: JsonObject, name: string, path: string): number | undefined {
  const value = field(object, name);
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
  throw malformed(path, `expected a number, got ${nameOf(value)}`);
}

export function booleanField(object: JsonObject, name: string, path: string): boolean | undefined {
  const value = field(object, name);
  if (value === undefined || typeof value === 'boolean') return value;
  throw malformed(path, `expected true or false, got ${nameOf(value)}`);
}

/** A whole number of at least `least`. */
export function wholeField(object: JsonObject, name: string, path: string, least: number): number | undefined {
  const value = numberField(object, name, path);
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return value;
  throw malformed(path, `expected a whole number of at least ${least}`);
}
