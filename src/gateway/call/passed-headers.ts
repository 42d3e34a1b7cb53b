import type { CallerHeaders, Received } from '../../core/exchange.ts';
import type { PassedHeaders } from '../../core/route.ts';
import { credentialOf, keyIn } from '../access/credential.ts';
import type { Target } from './translate.ts';

/** `x-` headers that are the gateway's, or the proxies' before it, or that hold a key. */
const keptHeaders = /^x-(?:litellm-|tollgate-|portkey-|forwarded-|real-ip$|api-key$|goog-api-key$|amz-|mcp-)/;
/** Where providers look for their key. */
const keyHeaders = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'] as const;

/** The headers for a provider, with those of the caller that the operator lets through. Ours win, but for a key of the caller's. */
export function withCallerHeaders(
  list: string[],
  { headers, snapshot }: Pick<Received, 'headers' | 'snapshot'>,
  { endpoint, group }: Pick<Target, 'endpoint' | 'group'>,
  passed: PassedHeaders,
): string[] {
  if (passed.own === true || (passed.own !== false && passed.own.has(group))) {
    for (const [name, value] of Object.entries(headers)) {
      if (!name.startsWith('x-') || keptHeaders.test(name) || isNamed(list, name)) continue;
      if (typeof value === 'string') list.push(name, value);
    }
  }
  const organization = headers['openai-organization'];
  if (passed.organization && typeof organization === 'string') replaceHeader(list, 'openai-organization', organization);
  // A call that is signed has no header for a key.
  if (passed.credentials && endpoint.authorize === undefined) {
    const own = snapshot.settings.keyHeaderName;
    for (const name of keyHeaders) if (isNamed(list, name)) replaceKey(list, name, headers, own);
  }
  return list;
}

/** The gateway's own key never goes on, wherever it stands. */
function replaceKey(
  list: string[],
  name: (typeof keyHeaders)[number],
  headers: CallerHeaders,
  own: string | null,
): void {
  const brought = keyIn(headers[name]);
  const value = headers[name];
  if (brought === null || typeof value !== 'string' || brought === credentialOf(headers, own)) return;
  replaceHeader(list, name, value);
}

function isNamed(list: readonly string[], name: string): boolean {
  for (let index = 0; index < list.length; index += 2) if (list[index] === name) return true;
  return false;
}

export function replaceHeader(list: string[], name: string, value: string): void {
  for (let index = 0; index < list.length; index += 2) {
    if (list[index] === name) {
      list[index + 1] = value;
      return;
    }
  }
  list.push(name, value);
}
