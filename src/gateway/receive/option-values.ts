import { GatewayError } from '../../core/errors.ts';
import type { CallerHeaders, RequestOptions } from '../../core/exchange.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { connectionFields } from './gateway-fields.ts';

/*
 * Reading one gateway option each. Absent and null read as null; anything else of the wrong kind is a clear error.
 * `prefix` is how the path to the field is told: `metadata.`, `cache.`.
 */

const retriesMax = 100;
const tagsMax = 50;
const tagLengthMax = 256;
const textLengthMax = 100_000;
const headerValueLengthMax = 1_024;
const secondsMax = 86_400 * 365;

function wrong(field: string, expected: string, value: Json | undefined): GatewayError {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value;
  return new GatewayError('malformed_request', `${field}: expected ${expected}, got ${kind}.`, { param: field });
}

export function text(from: JsonObject, field: string, prefix = ''): string | null {
  const value = from[field];
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' && value.length <= textLengthMax) return value;
  throw wrong(prefix + field, `a text of at most ${textLengthMax} characters`, value);
}

export function number(from: JsonObject, field: string): number | null {
  const value = from[field];
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw wrong(field, 'a number', value);
}

export function flag(from: JsonObject, field: string, prefix = ''): boolean | null {
  const value = from[field];
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value;
  throw wrong(prefix + field, 'true or false', value);
}

export function object(from: JsonObject, field: string): JsonObject | null {
  const value = from[field];
  if (value === undefined || value === null) return null;
  if (isJsonObject(value)) return value;
  throw wrong(field, 'an object', value);
}

export function texts(from: JsonObject, field: string, prefix = ''): readonly string[] {
  const value = from[field];
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value as string[];
  throw wrong(prefix + field, 'a list of texts', value);
}

/** Milliseconds of a number of seconds, also written as text (`"30"`, `1.5`). */
export function seconds(from: JsonObject, field: string, prefix = ''): number | null {
  const value = from[field];
  if (value === undefined || value === null) return null;
  const amount = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof amount === 'number' && amount >= 0 && amount <= secondsMax) return Math.round(amount * 1_000);
  throw wrong(prefix + field, 'a number of seconds, 0 or more', value);
}

export function count(from: JsonObject, field: string): number | null {
  const value = from[field];
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= retriesMax) return value;
  throw wrong(field, `a whole number from 0 to ${retriesMax}`, value);
}

export function fallbacks(from: JsonObject): RequestOptions['fallbacks'] {
  const value = from.fallbacks;
  if (value === undefined || value === null) return null;
  if (!Array.isArray(value)) throw wrong('fallbacks', 'a list of model names or of objects with `model`', value);
  return value.map((entry, index) => {
    if (typeof entry === 'string') return { model: entry, overrides: {} };
    if (isJsonObject(entry) && typeof entry.model === 'string') {
      const { model, ...overrides } = entry;
      const refused = Object.keys(overrides).find((field) => connectionFields.includes(field));
      if (refused !== undefined) {
        const message = `fallbacks[${index}].${refused}: where and as whom a fallback is called cannot be set in a request. Remove it.`;
        throw new GatewayError('client_credentials_refused', message, { param: `fallbacks[${index}].${refused}` });
      }
      return { model, overrides };
    }
    throw wrong(`fallbacks[${index}]`, 'a model name or an object with `model`', entry);
  });
}

/** Tags without empty ones and repetitions, bounded because every tag may have an account of its own. */
export function uniqueTags(tags: readonly string[]): readonly string[] {
  if (tags.length === 0) return tags;
  const unique = [...new Set(tags)].filter((tag) => tag !== '');
  if (unique.length > tagsMax || unique.some((tag) => tag.length > tagLengthMax)) {
    throw new GatewayError(
      'malformed_request',
      `tags: at most ${tagsMax} tags of at most ${tagLengthMax} characters each.`,
      { param: 'tags' },
    );
  }
  return unique;
}

/** A header's value; null when absent or empty. */
export function header(headers: CallerHeaders, name: string): string | null {
  const value = headers[name];
  const first = typeof value === 'string' ? value : value?.[0];
  return first === undefined || first === '' ? null : first.slice(0, headerValueLengthMax);
}

export function headerSeconds(headers: CallerHeaders, name: string): number | null {
  const value = header(headers, name);
  return value === null ? null : seconds({ [name]: value }, name);
}

export function headerCount(headers: CallerHeaders, name: string): number | null {
  const value = header(headers, name);
  return value === null ? null : count({ [name]: /^\d+$/.test(value) ? Number(value) : value }, name);
}

export function headerObject(headers: CallerHeaders, name: string): JsonObject | null {
  const raw = headers[name];
  if (typeof raw !== 'string' || raw === '') return null;
  let value: unknown;
  try {
    value = JSON.parse(raw);
  } catch {
    value = raw;
  }
  if (isJsonObject(value)) return value;
  throw wrong(name, 'a JSON object', raw);
}
