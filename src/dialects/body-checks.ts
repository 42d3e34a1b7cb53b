import { GatewayError } from '../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { NeutralTool, ToolChoice } from '../core/neutral.ts';

/** What a caller wrote does not fit the format: `path` says where, `problem` what is wrong and what would be right. */
export function malformed(path: string, problem: string): GatewayError {
  return new GatewayError('malformed_request', `${path}: ${problem}`, { param: path.split(/[.[]/, 1)[0]! });
}

/** How a value is named in a message, without repeating the value itself. */
export function nameOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return `a ${typeof value}`;
}

function expected(path: string, what: string, value: unknown): GatewayError {
  return malformed(path, `expected ${what}, got ${nameOf(value)}`);
}

/* The readers below take null for absent, as the formats do. */

export function optionalString(body: JsonObject, key: string, path = key): string | undefined {
  const value = body[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw expected(path, 'a string', value);
  return value;
}

export function requiredString(body: JsonObject, key: string, path = key): string {
  const value = body[key];
  if (typeof value !== 'string') throw expected(path, 'a string', value);
  return value;
}

export function optionalBoolean(body: JsonObject, key: string, path = key): boolean | undefined {
  const value = body[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw expected(path, 'true or false', value);
  return value;
}

export function optionalNumber(body: JsonObject, key: string, path = key): number | undefined {
  const value = body[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw expected(path, 'a number', value);
  return value;
}

/** Answers to one request; more is a mistake, and would be held for as money. */
const choicesMax = 1_024;

/** How many answers are asked for (`n`, `best_of`); 1 when left out. */
export function choices(body: JsonObject, key: string): number {
  const value = optionalWhole(body, key, 1) ?? 1;
  if (value > choicesMax) throw malformed(key, `expected a whole number from 1 to ${choicesMax}`);
  return value;
}

export function optionalWhole(body: JsonObject, key: string, least: number, path = key): number | undefined {
  const value = optionalNumber(body, key, path);
  if (value === undefined) return undefined;
  if (!Number.isSafeInteger(value) || value < least)
    throw malformed(path, `expected a whole number of at least ${least}`);
  return value;
}

export function optionalObject(body: JsonObject, key: string, path = key): JsonObject | undefined {
  const value = body[key];
  if (value === undefined || value === null) return undefined;
  return asObject(value, path);
}

export function optionalList(body: JsonObject, key: string, path = key): Json[] | undefined {
  const value = body[key];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw expected(path, 'a list', value);
  return value;
}

/** A list that must be there and hold something. */
export function filledList(body: JsonObject, key: string, path = key): Json[] {
  const value = body[key];
  if (!Array.isArray(value)) throw expected(path, 'a list', value);
  if (value.length === 0) throw malformed(path, 'the list is empty: at least one entry is needed');
  return value;
}

export function asObject(value: unknown, path: string): JsonObject {
  if (!isJsonObject(value)) throw expected(path, 'an object', value);
  return value;
}

export function asString(value: unknown, path: string): string {
  if (typeof value !== 'string') throw expected(path, 'a string', value);
  return value;
}

/** A string or a list of strings, as a list. */
export function optionalStrings(body: JsonObject, key: string, path = key): string[] {
  const value = body[key];
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) throw expected(path, 'a string or a list of strings', value);
  return value.map((entry, index) => asString(entry, `${path}[${index}]`));
}

const efforts: ReadonlySet<string> = new Set(
  ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'].concat('default', 'auto', 'disable'),
);

/** How hard a model shall think, in one of the words that formats share: what nobody knows would be left out unseen. */
export function effortIn(body: JsonObject, key: string, path = key): string | undefined {
  const effort = optionalString(body, key, path);
  if (effort === undefined || efforts.has(effort)) return effort;
  throw malformed(path, 'expected one of none, minimal, low, medium, high, xhigh, max');
}

/** What a model must call can only be a tool that it has. `tools`: null where they are not all known. */
export function choiceAmong(
  tools: readonly NeutralTool[] | null,
  choice: ToolChoice | undefined,
  path: string,
): ToolChoice | undefined {
  if (choice === undefined || tools === null) return choice;
  if (choice.type === 'tool' && !tools.some(({ name }) => name === choice.name)) {
    throw malformed(path, `there is no tool ${JSON.stringify(choice.name.slice(0, 80))} among the tools`);
  }
  if (choice.type === 'required' && tools.length === 0) throw malformed(path, 'there are no tools to choose from');
  return choice;
}

/** Members of `body` whose names are not in `known`, as sent; safe for names such as `__proto__`. */
export function unknownMembers(body: JsonObject, known: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !known.has(name)));
}
