import type { CallerHeaders } from '../core/exchange.ts';

const prefix = 'openai-insecure-api-key.';

/** Browsers cannot set headers on a WebSocket: their clients put the key among the protocols they offer. */
export function headersWithProtocolKey(headers: CallerHeaders): CallerHeaders {
  const offered = headers['sec-websocket-protocol'];
  if (typeof offered !== 'string' || headers.authorization !== undefined) return headers;
  const key = offered
    .split(',')
    .map((one) => one.trim())
    .find((one) => one.startsWith(prefix));
  return key === undefined ? headers : { ...headers, authorization: `Bearer ${key.slice(prefix.length)}` };
}
