import { z } from 'zod';
import { parseCron } from '../core/cron.ts';
import { normaliseDuration, parseDuration } from '../core/duration.ts';
import { nearest } from '../core/nearest.ts';
import { Secret } from '../core/secret.ts';
import { localTime } from '../core/zone.ts';

/** What the reference says about a key. */
export interface KeyFacts {
  readonly meaning: string;
  readonly default?: string;
}

/** What the reference and the messages call a type. */
export interface TypeFacts {
  readonly name: string;
  /** Its value is never shown. */
  readonly isSecret?: true;
}

export const keyFacts = z.registry<KeyFacts>();
export const typeFacts = z.registry<TypeFacts>();
/** Sections that are ours alone: there an unknown key is an error, elsewhere it is a warning. */
export const ownSections = z.registry<{ readonly isOwn: true }>();

/**
 * A scalar as operators write it: from YAML, from an environment variable (always text) or from JSON. `read` gives undefined
 * for what does not fit; the message then is the type's name.
 */
function scalar<T>(name: string, read: (value: unknown) => T | undefined, facts: Omit<TypeFacts, 'name'> = {}) {
  const schema = z.unknown().transform((input, context): T => {
    const value = read(input);
    if (value !== undefined) return value;
    context.issues.push({ code: 'custom', message: name, input });
    return z.NEVER;
  });
  typeFacts.add(schema, { name, ...facts });
  return schema;
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
}

function asNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

function numberBetween(min: number, max = Number.MAX_VALUE) {
  return (value: unknown): number | undefined => {
    const number = asNumber(value);
    return number !== undefined && number >= min && number <= max ? number : undefined;
  };
}

const flagWords = new Map([
  ['true', true],
  ['yes', true],
  ['on', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['off', false],
  ['0', false],
]);

export const text = () => scalar('text', asText);
/** Text that is wrapped as soon as it is read, so that it cannot be printed by accident. */
export const secret = () =>
  scalar(
    'text',
    (value) => {
      const written = asText(value);
      // A variable filled from a file often ends in a line break, which no header may hold.
      return written === undefined ? undefined : new Secret(written.replace(/[\r\n]+$/, ''));
    },
    { isSecret: true },
  );
export const flag = () =>
  scalar('true or false', (value) => (typeof value === 'boolean' ? value : flagWords.get(String(value).toLowerCase())));
export const number = () => scalar('a number', asNumber);
export const amount = () => scalar('a number of 0 or more', numberBetween(0));
/** As many whole nano-dollars as one figure holds. */
const dollarsMax = 9_000_000;
export const dollars = () => scalar('US dollars from 0 to 9,000,000', numberBetween(0, dollarsMax));
const secondsMax = 1_000_000_000;
export const seconds = () => scalar('seconds, a number of 0 or more', numberBetween(0, secondsMax));
export const fraction = () => scalar('a fraction from 0 to 1', numberBetween(0, 1));
export const count = () =>
  scalar('a whole number of 0 or more', (value) => {
    const whole = numberBetween(0, Number.MAX_SAFE_INTEGER)(value);
    return Number.isInteger(whole) ? whole : undefined;
  });
export const port = () =>
  scalar('a port number from 1 to 65535', (value) => {
    const whole = numberBetween(1, 65535)(value);
    return Number.isInteger(whole) ? whole : undefined;
  });

const durationName = 'a duration such as 30s, 10m, 1h, 7d or 1mo (or daily, weekly, monthly)';

function duration(read: (text: string) => string | null) {
  return scalar(durationName, (value) => {
    const written = asText(value);
    if (written === undefined) return undefined;
    try {
      return read(written);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  });
}

/** The window of a budget in its one normalised spelling: `monthly`, `30d` and `1mo` are all `1mo`. */
export const budgetWindow = () => duration(normaliseDuration);

/** How long something lives, as written. */
export const lifetime = () => duration((written) => (parseDuration(written) === null ? null : written.trim()));

export const cron = () =>
  scalar('a cron schedule in UTC such as 0 2 * * *', (value) => {
    const written = asText(value);
    if (written === undefined) return undefined;
    try {
      return parseCron(written);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  });

export const timezone = () =>
  scalar('a time zone such as UTC or Europe/Berlin', (value) => {
    const written = asText(value);
    if (written === undefined) return undefined;
    try {
      localTime(written, 0);
      return written;
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  });

/** What may stand in an HTTP header value: visible Latin-1, spaces and tabs. */
export function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

export const headerValue = () =>
  scalar('a header value on one line', (value) => {
    const written = typeof value === 'boolean' ? String(value) : asText(value);
    return written !== undefined && isHeaderValue(written) ? written : undefined;
  });

export const url = () =>
  scalar('an address such as https://host:8000/v1', (value) => {
    const written = asText(value)?.trim();
    if (written === undefined || !URL.canParse(written)) return undefined;
    const { protocol, hostname } = new URL(written);
    return (protocol === 'http:' || protocol === 'https:') && hostname !== '' ? written : undefined;
  });

export function oneOf<const V extends string>(...values: readonly V[]) {
  const name = values.length === 2 ? values.join(' or ') : `one of ${values.join(', ')}`;
  const schema = z.unknown().transform((input, context): V => {
    const value = values.find((candidate) => candidate === String(input));
    if (value !== undefined) return value;
    const close = typeof input === 'string' ? nearest(input, values) : undefined;
    context.issues.push({ code: 'custom', message: name, input, params: { nearest: close } });
    return z.NEVER;
  });
  typeFacts.add(schema, { name });
  return schema;
}

export function anything() {
  const schema = z.unknown();
  typeFacts.add(schema, { name: 'any value' });
  return schema;
}

/** A map whose keys are the operator's own. An entry without a value, or with an unset variable, is left out. */
export function mapOf<T extends z.ZodType>(value: T) {
  const schema = z.record(z.string(), value.nullish());
  typeFacts.add(schema, { name: `map to ${typeName(value)}` });
  return schema.transform((written) => {
    const present = Object.entries(written).filter((entry) => entry[1] !== null && entry[1] !== undefined);
    return Object.fromEntries(present) as Record<string, NonNullable<z.output<T>>>;
  });
}

/** A map that is kept exactly as it is written. */
export function openMap() {
  const schema = z.record(z.string(), z.unknown());
  typeFacts.add(schema, { name: 'map' });
  return schema;
}

export function listOf<T extends z.ZodType>(item: T) {
  const schema = z.array(item);
  typeFacts.add(schema, { name: `list of ${typeName(item)}` });
  return schema;
}

/** A list of texts; a single text counts as a list of one. */
export function texts() {
  const schema = z.unknown().transform((input, context): string[] => {
    const list = (Array.isArray(input) ? input : [input]).map(asText);
    if (list.every((item) => item !== undefined)) return list;
    context.issues.push({ code: 'custom', message: 'a list of texts', input });
    return z.NEVER;
  });
  typeFacts.add(schema, { name: 'list of texts' });
  return schema;
}

/** A value that may be written in several shapes; `name` says which. */
export function either<T extends readonly [z.ZodType, z.ZodType, ...z.ZodType[]]>(name: string, ...options: T) {
  const schema = z.union(options, { error: name });
  typeFacts.add(schema, { name });
  return schema;
}

export function map<S extends z.core.$ZodLooseShape>(shape: S) {
  const schema = z.object(shape);
  typeFacts.add(schema, { name: 'map' });
  return schema;
}

/** Like `map`, for sections that only we have: an unknown key in it is an error. */
export function ownMap<S extends z.core.$ZodLooseShape>(shape: S) {
  const schema = map(shape);
  ownSections.add(schema, { isOwn: true });
  return schema;
}

/** A key that may be absent. Nothing written, or an unset variable (null), is the same as absent. */
export function key<T extends z.ZodType>(type: T, meaning: string, defaultText?: string) {
  const piped = type.nullish().transform((value) => value ?? undefined);
  // For the type checker an optional key; what it is made of is a pipe, which the checker would call required.
  const schema = piped as unknown as z.ZodOptional<z.ZodType<Exclude<z.output<T>, null | undefined>>>;
  keyFacts.add(schema, { meaning, ...(defaultText !== undefined && { default: defaultText }) });
  return schema;
}

/** A key that must be there. */
export function required<T extends z.ZodType>(type: T, meaning: string) {
  const schema = type.transform((value) => value) as z.ZodType<z.output<T>>;
  keyFacts.add(schema, { meaning, default: 'required' });
  return schema;
}

/** The type below `key`, lists and alternatives still around it. */
export function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  const { def } = schema as z.ZodType & { def: { type: string; innerType?: z.core.$ZodType; in?: z.core.$ZodType } };
  if (typeFacts.has(schema as z.ZodType)) return schema;
  if (def.innerType !== undefined) return unwrapped(def.innerType);
  if (def.in !== undefined) return unwrapped(def.in);
  return schema;
}

export function typeName(schema: z.core.$ZodType): string {
  return typeFacts.get(unwrapped(schema) as z.ZodType)?.name ?? 'value';
}
