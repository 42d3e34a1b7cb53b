import { hash, timingSafeEqual } from 'node:crypto';
import type { CallerHeaders } from '../../core/exchange.ts';

/** Where callers put their key, in the order of precedence; node:http gives header names in lower case. */
const credentialHeaders = [
  'x-litellm-api-key',
  'authorization',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'ocp-apim-subscription-key',
] as const;

/** Of what is made for clients that must not have a key; their libraries look for it. */
export const clientSecretPrefix = 'ek_';

/** The key as sent, with or without `Bearer`; null when there is none. `ownHeader` is the operator's, and goes first. */
export function credentialOf(headers: CallerHeaders, ownHeader: string | null): string | null {
  if (ownHeader !== null) {
    const own = keyIn(headers[ownHeader.toLowerCase()]);
    if (own !== null) return own;
  }
  for (const name of credentialHeaders) {
    const key = keyIn(headers[name]);
    if (key !== null) return key;
  }
  return null;
}

export function keyIn(value: string | string[] | undefined): string | null {
  if (value === undefined) return null;
  const first = typeof value === 'string' ? value : (value[0] ?? '');
  const key = (/^bearer\s/i.test(first) ? first.slice(7) : first).trim();
  return key === '' ? null : key;
}

/** The public identity of a key: SHA-256, hex. Keys carry 256 random bits, so that no slow hash is needed. */
export function keyIdOf(key: string): string {
  const known = keyIds.get(key);
  if (known !== undefined) return known;
  const keyId = hash('sha256', key, 'hex');
  if (key.length > rememberedKeyLengthMax) return keyId;
  if (keyIds.size >= rememberedKeysMax) keyIds.clear();
  keyIds.set(key, keyId);
  return keyId;
}

/** Hashing costs more than all the rest of looking a key up. In memory only, like the headers that bring the keys. */
const keyIds = new Map<string, string>();
const rememberedKeysMax = 1_000;
const rememberedKeyLengthMax = 256;

/** Constant time; both are SHA-256 in hex. */
export function sameKeyId(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1'));
}

/** Enough of a key to recognise one's own, too little to use: `sk-...Ab1C`. */
export function maskedKey(key: string): string {
  if (key.length < 16) return '***';
  return key.startsWith('sk-') ? `sk-...${key.slice(-4)}` : `${key.slice(0, 2)}...${key.slice(-2)}`;
}
