import type { CallerHeaders } from '../../core/exchange.ts';
import type { ProviderEndpoint } from '../../core/provider.ts';
import { Secret } from '../../core/secret.ts';

/** Names of request headers that may hold a credential. */
const credentialHeaders = /auth|key|token|secret/i;
const lengthMin = 8;

const ofEndpoint = new WeakMap<ProviderEndpoint, readonly string[]>();

/**
 * A provider's headers without those that say our credential back; nearly always the same object. `made` are the headers that
 * authorise this call alone.
 */
export function withoutEchoes(
  headers: CallerHeaders,
  endpoint: ProviderEndpoint,
  made: readonly string[],
): CallerHeaders {
  let credentials = ofEndpoint.get(endpoint);
  if (credentials === undefined) {
    credentials = credentialsIn(endpoint.headers);
    ofEndpoint.set(endpoint, credentials);
  }
  if (made.length > 0) credentials = [...credentials, ...credentialsIn(made)];
  let clean: Record<string, string | string[] | undefined> | null = null;
  for (const credential of credentials) {
    for (const name in headers) {
      const value = headers[name];
      if (typeof value !== 'string' || value.length < credential.length || !value.includes(credential)) continue;
      clean ??= { ...headers };
      delete clean[name];
    }
  }
  return clean ?? headers;
}

function credentialsIn(list: readonly string[]): string[] {
  const found: string[] = [];
  for (let index = 0; index < list.length; index += 2) {
    const value = list[index + 1]!.replace(/^(?:Bearer|Basic)\s+/i, '');
    if (credentialHeaders.test(list[index]!) && value.length >= lengthMin) found.push(value);
  }
  return found;
}

/** The values of headers that were made to authorise a call, as no error may repeat them. */
export function secretsIn(made: readonly string[]): Secret[] {
  return made.filter((_, index) => index % 2 === 1).map(plainSecret);
}

export function plainSecret(value: string): Secret {
  return new Secret(value.replace(/^Bearer /, ''));
}
