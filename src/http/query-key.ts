import type { CallerHeaders } from '../core/exchange.ts';

const keyInQuery = /(?:^|&)key=/;

/** Google's clients may write the key into the address: it goes on as the header it stands for, and nowhere else. */
export function headersWithQueryKey(headers: CallerHeaders, query: string): CallerHeaders {
  if (!keyInQuery.test(query) || headers['x-goog-api-key'] !== undefined) return headers;
  const key = new URLSearchParams(query).get('key');
  return key === null ? headers : { ...headers, 'x-goog-api-key': key };
}

export function withoutKey(query: string): string {
  if (!keyInQuery.test(query)) return query;
  const rest = query.split('&').filter((pair) => !keyInQuery.test(pair));
  return rest.join('&');
}
