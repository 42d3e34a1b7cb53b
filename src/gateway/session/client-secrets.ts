import { createCipheriv, createDecipheriv } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { GatewayError } from '../../core/errors.ts';
import type { CallerHeaders } from '../../core/exchange.ts';
import type { JsonObject } from '../../core/json.ts';
import { clientSecretPrefix, credentialOf } from '../access/credential.ts';
import type { Gateway } from '../gateway.ts';
import type { SessionTask } from './dial.ts';

const nonceBytes = 12;
const tagBytes = 16;
/** Proxies take header lines of 8 KiB; a browser's line also names its protocols. */
const secretLengthMax = 6_000;

/** What a browser may do: open sessions as this one is written, for the holder of a key. */
export interface ClientSecret {
  readonly keyId: string;
  /** Unix seconds; sessions that are open by then go on. */
  readonly expiresAt: number;
  readonly session: JsonObject;
  /** Asked for in the older shape. */
  readonly isBeta: boolean;
}

/**
 * Secrets for clients that must not have a key. All that a secret says is sealed inside (AES-256-GCM): nothing is written
 * down, every replica opens it, and whoever holds it can neither read nor change it. `masterKeyHash` is bound in, so that
 * a new master key ends them all.
 */
export class ClientSecrets {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** Throws GatewayError where the session is too large to be carried. `nonce` is 12 random bytes in base64url. */
  seal(secret: ClientSecret, masterKeyHash: string | null, nonce: string): string {
    const { keyId, expiresAt, session, isBeta } = secret;
    const iv = Buffer.from(nonce, 'base64url');
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv);
    cipher.setAAD(Buffer.from(masterKeyHash ?? ''));
    const plain = deflateRawSync(JSON.stringify([keyId, expiresAt, isBeta, session]));
    const body = Buffer.concat([cipher.update(plain), cipher.final()]);
    const text = clientSecretPrefix + Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
    if (text.length <= secretLengthMax) return text;
    throw new GatewayError(
      'malformed_request',
      `session: too large to be carried in a client secret (${text.length} characters when sealed, at most ` +
        `${secretLengthMax}). Leave long instructions and tools out, and send them in session.update once connected.`,
      { param: 'session' },
    );
  }

  /** Throws GatewayError for what is not ours, was altered, or has expired at `now` (Unix milliseconds). */
  open(text: string, masterKeyHash: string | null, now: number): ClientSecret {
    const secret = this.#opened(text, masterKeyHash);
    if (secret === undefined) {
      throw new GatewayError(
        'unknown_key',
        'Authentication Error, this client secret was not made by this gateway, was altered, or its master key changed.',
      );
    }
    if (secret.expiresAt * 1_000 <= now) {
      const at = new Date(secret.expiresAt * 1_000).toISOString();
      throw new GatewayError(
        'expired_key',
        `Authentication Error, this client secret expired at ${at}. Make a new one.`,
      );
    }
    return secret;
  }

  #opened(text: string, masterKeyHash: string | null): ClientSecret | undefined {
    const bytes = Buffer.from(text.slice(clientSecretPrefix.length), 'base64url');
    // What is no base64url is left out when it is read, and the uses of a secret are counted by its text.
    if (clientSecretPrefix + bytes.toString('base64url') !== text) return undefined;
    if (bytes.length <= nonceBytes + tagBytes || text.length > secretLengthMax) return undefined;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, nonceBytes));
      decipher.setAAD(Buffer.from(masterKeyHash ?? ''));
      decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
      const plain = Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]);
      const [keyId, expiresAt, isBeta, session] = JSON.parse(inflateRawSync(plain).toString()) as [
        string,
        number,
        boolean,
        JsonObject,
      ];
      return { keyId, expiresAt, isBeta, session };
    } catch {
      return undefined;
    }
  }
}

/** The client secret in the headers; null when they hold an ordinary key, or none. Throws GatewayError for a bad one. */
export function presentedSecret(
  { clientSecrets, clock, snapshot }: Gateway,
  headers: CallerHeaders,
): ClientSecret | null {
  const { keyHeaderName, masterKeyHash } = snapshot().settings;
  const key = credentialOf(headers, keyHeaderName);
  return key?.startsWith(clientSecretPrefix) ? clientSecrets.open(key, masterKeyHash, clock.now()) : null;
}

/** What the sessions do that it opens. */
export function taskOf({ session }: Pick<ClientSecret, 'session'>): SessionTask {
  if (session.type === 'translation') return 'translate';
  return session.type === 'transcription' ? 'transcribe' : 'converse';
}

/** The message that makes a new session the one that was asked for; null where nothing is left to say. */
export function openingOf({ session, isBeta }: ClientSecret): string | null {
  const task = taskOf({ session });
  if (task === 'transcribe') {
    const { type, ...rest } = session;
    return JSON.stringify(
      isBeta ? { type: 'transcription_session.update', session: rest } : { type: 'session.update', session },
    );
  }
  // The model is named by the address, under the provider's own name.
  const { model: _named, ...named } = session;
  // Nor is there a choice of what a session that translates does.
  const { type: _translates, ...bare } = named;
  const rest = task === 'translate' ? bare : named;
  const says = Object.keys(rest).some((name) => name !== 'type');
  return says ? JSON.stringify({ type: 'session.update', session: rest }) : null;
}
