import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Outside } from '../../core/ports.ts';
import { AuthorizationError } from '../../core/provider.ts';
import type { Expiring } from '../../core/token-source.ts';
import { askedJson, fileText, form, signedToken, tokenIn } from '../signed-token.ts';

/* Access tokens of Google's: https://google.aip.dev/auth/4110 and the pages after it. */

const scope = 'https://www.googleapis.com/auth/cloud-platform';
const tokenAddress = 'https://oauth2.googleapis.com/token';
const metadataAddress = 'http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token';
const tokenService = 'the Google token service';

export interface CredentialPlaces {
  /** The JSON itself, or the file it is in; null where nothing is set. */
  readonly written: string | null;
  /** Where Google's own tools keep the credentials of whoever is signed in. */
  readonly defaultFile: string | null;
}

export async function accessToken(places: CredentialPlaces, outside: Outside): Promise<Expiring<string>> {
  const credentials = await find(places, outside);
  if (credentials === null) return ofMachine(outside);
  switch (credentials.type) {
    case 'service_account':
      return ofServiceAccount(credentials, outside);
    case 'authorized_user':
      return ofUser(credentials, outside);
    case 'external_account':
      return ofForeignIdentity(credentials, outside);
    default: {
      const known = 'service_account, authorized_user or external_account';
      throw new AuthorizationError(`vertex_credentials are of an unknown type: expected ${known}`);
    }
  }
}

async function find({ written, defaultFile }: CredentialPlaces, outside: Outside): Promise<JsonObject | null> {
  if (written !== null) {
    const isJson = written.trimStart().startsWith('{');
    return credentialsIn(isJson ? written : await fileText(outside, 'vertex_credentials', written));
  }
  if (defaultFile === null) return null;
  try {
    return credentialsIn(await outside.readFile(defaultFile));
  } catch {
    return null;
  }
}

export function credentialsIn(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (isJsonObject(value)) return value;
  throw new AuthorizationError('vertex_credentials are not JSON: expected the key file of a service account');
}

async function ofServiceAccount(credentials: JsonObject, outside: Outside): Promise<Expiring<string>> {
  const issuedAt = Math.floor(outside.now() / 1_000);
  const audience = textIn(credentials, 'token_uri', tokenAddress);
  const claims = {
    iss: textIn(credentials, 'client_email'),
    scope,
    aud: audience,
    iat: issuedAt,
    exp: issuedAt + 3_600,
  };
  const key = credentials.private_key_id;
  const header = typeof key === 'string' ? { kid: key } : {};
  const assertion = signedToken(claims, textIn(credentials, 'private_key'), header);
  const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion };
  return tokenIn(await askedJson(outside, tokenService, form(audience, grant)), tokenService, outside.now());
}

async function ofUser(credentials: JsonObject, outside: Outside): Promise<Expiring<string>> {
  const grant = {
    grant_type: 'refresh_token',
    client_id: textIn(credentials, 'client_id'),
    client_secret: textIn(credentials, 'client_secret'),
    refresh_token: textIn(credentials, 'refresh_token'),
  };
  const address = textIn(credentials, 'token_uri', tokenAddress);
  return tokenIn(await askedJson(outside, tokenService, form(address, grant)), tokenService, outside.now());
}

/** Workload identity federation: the token of another identity service, exchanged, then turned into a service account's. */
async function ofForeignIdentity(credentials: JsonObject, outside: Outside): Promise<Expiring<string>> {
  const address = textIn(credentials, 'token_url', 'https://sts.googleapis.com/v1/token');
  const exchanged = await askedJson(
    outside,
    'the Google token exchange',
    form(address, {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: textIn(credentials, 'audience'),
      scope,
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token_type: textIn(credentials, 'subject_token_type'),
      subject_token: await subjectToken(credentials, outside),
    }),
  );
  const federated = tokenIn(exchanged, 'the Google token exchange', outside.now());
  const impersonation = credentials.service_account_impersonation_url;
  if (typeof impersonation !== 'string') return federated;
  const what = 'the impersonation of the service account';
  const headers = ['content-type', 'application/json', 'authorization', `Bearer ${federated.value}`];
  const body = JSON.stringify({ scope: [scope] });
  const told = await askedJson(outside, what, { method: 'POST', address: impersonation, headers, body });
  const { accessToken: value, expireTime } = told;
  const expiresAt = typeof expireTime === 'string' ? Date.parse(expireTime) : Number.NaN;
  if (typeof value !== 'string' || Number.isNaN(expiresAt)) {
    throw new AuthorizationError(`${what} answered without a token`);
  }
  return { value, expiresAt };
}

async function subjectToken(credentials: JsonObject, outside: Outside): Promise<string> {
  const source = isJsonObject(credentials.credential_source) ? credentials.credential_source : {};
  const format = isJsonObject(source.format) ? source.format : {};
  const read = (text: string): string => {
    if (format.type !== 'json') return text.trim();
    return textIn(credentialsIn(text), String(format.subject_token_field_name));
  };
  if (typeof source.file === 'string') return read(await fileText(outside, 'credential_source.file', source.file));
  if (typeof source.url !== 'string') {
    throw new AuthorizationError('credential_source names neither a file nor a url: other sources are not supported');
  }
  const headers = isJsonObject(source.headers)
    ? Object.entries(source.headers).flatMap(([name, value]) => [name.toLowerCase(), String(value)])
    : [];
  const told = await askedJson(outside, 'credential_source.url', {
    method: 'GET',
    address: source.url,
    headers,
    body: null,
  });
  return textIn(told, String(format.subject_token_field_name ?? 'access_token'));
}

async function ofMachine(outside: Outside): Promise<Expiring<string>> {
  const what = 'no vertex_credentials are set, and the metadata server';
  const headers = ['metadata-flavor', 'Google'];
  const request = { method: 'GET', address: metadataAddress, headers, body: null, timeoutMs: 3_000 } as const;
  return tokenIn(await askedJson(outside, what, request), what, outside.now());
}

function textIn(object: JsonObject, name: string, otherwise?: string): string {
  const value = object[name] ?? otherwise;
  if (typeof value === 'string' && value !== '') return value;
  throw new AuthorizationError(`vertex_credentials lack ${name}`);
}
