import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { GatewayError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/json.ts';
import { isJsonObject } from '../core/json.ts';
import { Secret } from '../core/secret.ts';

const prefix = 'enc:v1:';
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Keeps provider credentials unreadable in the store: AES-256-GCM under a key derived (HKDF-SHA-256) from the operator's
 * salt key or master key. The id of the row is bound in as associated data, so a value copied to another row does not open.
 */
export interface Vault {
  seal(plain: string, rowId: string): string;
  /** Throws GatewayError('internal') when the value was sealed under another key or for another row. */
  open(sealed: string, rowId: string): Secret;
}

export function isSealed(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith(prefix);
}

/** `keyMaterial` is null when the operator set neither key: then nothing can be stored. */
export function createVault(keyMaterial: Secret | null): Vault {
  const key =
    keyMaterial === null
      ? null
      : Buffer.from(hkdfSync('sha256', keyMaterial.reveal(), 'tollgate', 'stored credentials v1', 32));
  return {
    seal(plain, rowId) {
      if (key === null)
        throw new GatewayError(
          'malformed_request',
          'Credentials cannot be stored: set LITELLM_SALT_KEY or a master key, from which their encryption key is derived.',
        );
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(Buffer.from(rowId));
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return prefix + Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
    },
    open(sealed, rowId) {
      try {
        if (key === null) throw new Error('no key');
        const bytes = Buffer.from(sealed.slice(prefix.length), 'base64url');
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes));
        decipher.setAAD(Buffer.from(rowId));
        decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
        const plain = decipher.update(bytes.subarray(nonceBytes + tagBytes));
        return new Secret(Buffer.concat([plain, decipher.final()]).toString('utf8'));
      } catch {
        throw new GatewayError(
          'internal',
          `A stored credential (${rowId}) cannot be decrypted: LITELLM_SALT_KEY or the master key is not the one it was stored with.`,
        );
      }
    },
  };
}

const secretName = /(^|_)(api_?key|key|secret|token|password|credentials?|auth|authorization|private_key)(_|$)/i;
const harmlessName = /^(max_|.*_tokens?$|input_cost|output_cost|litellm_credential_name|tokens_per_second|.*_cost_.*)/i;

/** Whether the value under this name must never be shown: names of credentials, and headers as a whole. */
export function isSecretName(name: string): boolean {
  if (/^(extra_)?headers$/i.test(name)) return true;
  if (/(session_token|ad_token|auth_token|access_token)$/i.test(name)) return true;
  return secretName.test(name) && !harmlessName.test(name);
}

/** Seals every secret in a tree of settings; a reference to an environment variable is not a secret and stays readable. */
export function sealTree(tree: JsonObject, vault: Vault, rowId: string, everything = false): JsonObject {
  return mapTree(tree, everything, (value) =>
    isSealed(value) || value.startsWith('os.environ/') ? value : vault.seal(value, rowId),
  );
}

/** The inverse of `sealTree`, for the configuration: the clear values, to be wrapped there at once. */
export function openTree(tree: JsonObject, vault: Vault, rowId: string): JsonObject {
  return mapStrings(tree, (value) => (isSealed(value) ? vault.open(value, rowId).reveal() : value)) as JsonObject;
}

/** The tree as it may be shown: secrets left out. */
export function shownTree(tree: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(tree).flatMap(([name, value]) => {
      if (isSecretName(name) || isSealed(value)) return [];
      return [[name, isJsonObject(value) ? shownTree(value) : value]];
    }),
  );
}

function mapTree(tree: JsonObject, everything: boolean, change: (value: string) => string): JsonObject {
  return Object.fromEntries(
    Object.entries(tree).map(([name, value]) => {
      if (everything || isSecretName(name)) {
        if (typeof value === 'string') return [name, change(value)];
        if (value !== null && typeof value === 'object')
          return [name, mapStrings(value as Json, change)];
        return [name, value];
      }
      return [name, isJsonObject(value) ? mapTree(value, false, change) : value];
    }),
  );
}

function mapStrings(value: Json, change: (value: string) => string): Json {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change));
  if (isJsonObject(value))
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapStrings(item ?? null, change)]));
  return value;
}
