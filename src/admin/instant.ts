import { GatewayError } from '../core/errors.ts';

/** Reads a date or a time of a query, `YYYY-MM-DD` or ISO 8601; a bare date as an end means the end of that day. */
export function instant(text: string | undefined, param: string, edge: 'start' | 'end'): number | undefined {
  if (text === undefined || text === '') return undefined;
  const bare = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const zoned = bare
    ? `${text}T00:00:00Z`
    : /([zZ]|[+-]\d{2}:?\d{2})$/.test(text)
      ? text
      : `${text.replace(' ', 'T')}Z`;
  const at = Date.parse(zoned);
  if (Number.isNaN(at))
    throw new GatewayError('malformed_request', `${param} must be a date (YYYY-MM-DD) or an ISO 8601 time.`, { param });
  return bare && edge === 'end' ? at + 86_400_000 : at;
}
