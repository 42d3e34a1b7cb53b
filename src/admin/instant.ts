import { GatewayError } from '../core/errors.ts';

const dayMs = 86_400_000;
const written = /^(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?([zZ]|[+-]\d{2}:?\d{2})?)?$/;

/**
 * Reads a date or a time of a query, `YYYY-MM-DD` or ISO 8601; a bare date as an end means the end of that day. `besides`: what
 * else its reader takes, for the refusal.
 */
export function instant(
  text: string | undefined,
  param: string,
  edge: 'start' | 'end',
  besides?: string,
): number | undefined {
  if (text === undefined || text === '') return undefined;
  const [, day, zone] = written.exec(text) ?? [];
  if (day === undefined || dayStart(day) === undefined) throw noTime(param, besides);
  const isBare = text.length === day.length;
  const at = isBare ? dayStart(day)! : Date.parse(text.replace(' ', 'T') + (zone === undefined ? 'Z' : ''));
  if (Number.isNaN(at)) throw noTime(param, besides);
  return isBare && edge === 'end' ? at + dayMs : at;
}

/** Unix milliseconds of the beginning of a day, in UTC; undefined for one that no calendar has: a parser takes 30 February for March. */
export function dayStart(day: string): number | undefined {
  const at = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== day ? undefined : at;
}

function noTime(param: string, besides?: string): GatewayError {
  const forms = besides === undefined ? ' or an ISO 8601 time' : `, an ISO 8601 time, or ${besides}`;
  const message = `${param} must be a date (YYYY-MM-DD)${forms}, and one that exists.`;
  return new GatewayError('malformed_request', message, { param });
}
