import type { Json, JsonObject } from '../core/json.ts';

/** Names whose texts are credentials; numbers under such names (`max_tokens`) are not. */
const secretName =
  /(^|_)(key|keys|secret|token|password|credential|credentials|authorization|auth)($|_)|^x-api-key$|apikey/i;
const notSecret = new Set([
  'litellm_credential_name',
  'configurable_clientside_auth_params',
  'aws_web_identity_token_file',
]);
/** Maps whose values are all treated as credentials. */
export const headerMaps: ReadonlySet<string> = new Set(['headers', 'extra_headers']);
const addresses = new Set(['api_base', 'base_url', 'aws_sts_endpoint', 'aws_bedrock_runtime_endpoint']);

/** Deployment parameters as people may see them: credentials and header values left out, addresses without user and query. */
export function publicParams(params: Readonly<Record<string, unknown>>): JsonObject {
  const shown: JsonObject = {};
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === null) continue;
    if (headerMaps.has(name)) shown[name] = maskedMap(value);
    else if (typeof value === 'string' && addresses.has(name)) shown[name] = publicAddress(value);
    else if (!isSecret(name, value)) shown[name] = withoutSecrets(value);
  }
  return shown;
}

/** An address without user, password, query and fragment. */
export function publicAddress(address: string): string {
  if (!URL.canParse(address)) return '';
  const { protocol, host, pathname } = new URL(address);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}

/** Whether a parameter of this name is a credential; numbers and switches never are. */
export function isSecret(name: string, value: unknown): boolean {
  if (notSecret.has(name) || typeof value === 'number' || typeof value === 'boolean') return false;
  return secretName.test(name);
}

function withoutSecrets(value: unknown): Json {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value as Json;
  const shown: JsonObject = {};
  for (const [name, inner] of Object.entries(value)) {
    if (headerMaps.has(name)) shown[name] = maskedMap(inner);
    else if (!isSecret(name, inner)) shown[name] = withoutSecrets(inner);
  }
  return shown;
}

function maskedMap(value: unknown): Json {
  if (typeof value !== 'object' || value === null) return null;
  return Object.fromEntries(Object.keys(value).map((name) => [name, '[redacted]']));
}
