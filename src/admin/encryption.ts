import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { GatewayError } from '../core/errors.ts';
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

export function isSealed(text: string): boolean {
  return text.startsWith(prefix);
}

/** A key for one purpose; without material it is the same everywhere, and nothing that it proves is proved. */
export function keyOf(keyMaterial: Secret | null, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', keyMaterial?.reveal() ?? '', 'tollgate', purpose, 32));
}

/** `keyMaterial` is null when the operator set neither key: then nothing can be stored. */
export function createVault(keyMaterial: Secret | null): Vault {
  const key = keyMaterial === null ? null : keyOf(keyMaterial, 'stored credentials v1');
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
