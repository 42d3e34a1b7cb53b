import type { z } from 'zod';
import { nearest } from '../core/nearest.ts';
import { type Path, type Severity, withoutEffect } from './diagnostic.ts';
import type { Findings } from './findings.ts';
import { isKnownElsewhere } from './known-elsewhere.ts';
import { homeOf } from './schema/sections.ts';
import { findUnknownKeys } from './unknown-keys.ts';

/**
 * Reads a part of a configuration by its schema. Unknown keys are warnings (errors in our own sections); a value of the wrong
 * type is reported with `severity` and the whole part is then undefined.
 */
export function readValue<S extends z.ZodType>(
  schema: S,
  value: unknown,
  path: Path,
  findings: Findings,
  severity: Severity = 'error',
): z.output<S> | undefined {
  for (const unknown of findUnknownKeys(schema, value, path)) {
    if (isKnownElsewhere(unknown.path.slice(0, -1), String(unknown.path.at(-1)))) {
      findings.add('notice', unknown.path, withoutEffect, { atKey: true });
      continue;
    }
    const home = homeOf(unknown.path);
    if (home !== undefined) {
      findings.add('warning', unknown.path, `does nothing here; it belongs into ${home}`, { atKey: true });
      continue;
    }
    findings.add(unknown.isError ? 'error' : 'warning', unknown.path, 'unknown key', {
      nearest: nearest(String(unknown.path.at(-1)), unknown.validKeys),
      atKey: true,
    });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const issuePath = [...path, ...(issue.path as (string | number)[])];
    const found = valueAt(value, issue.path);
    const details = {
      expected: expectationOf(issue),
      nearest: issue.code === 'custom' ? (issue.params?.nearest as string | undefined) : undefined,
    };
    findings.add(severity, issuePath, found === undefined ? 'missing' : `found ${describe(found)}`, details);
  }
  return undefined;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Record<PropertyKey, unknown>)[step];
  }
  return current;
}

function expectationOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type') return issue.message;
  if (issue.expected === 'array') return 'a list';
  return issue.expected === 'object' || issue.expected === 'record' ? 'a map' : issue.expected;
}

/** What stands there, without repeating texts: a wrong text may be a secret in the wrong place. */
export function describe(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'text';
  return String(value);
}
