import type { Secret } from './secret.ts';

const redacted = '[redacted]';
const bearer = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi;
const keyLike = /\b(sk|pk|rk|gsk|xai|key|AIza)[-_][A-Za-z0-9_-]{12,}/g;
const urlQuery = /(https?:\/\/[^\s?#"'<>]+)\?[^\s"'<>]*/g;
const urlCredentials = /(https?:\/\/)[^\s/@"'<>]+@/g;

/**
 * Takes everything out of a text that must not leave the process: the given secrets by exact match, then whatever looks
 * like a credential, and the query part of addresses. For texts that providers wrote.
 */
export function scrub(text: string, secrets: readonly Secret[]): string {
  let clean = text;
  for (const secret of secrets) {
    const value = secret.reveal();
    if (value.length >= 6 && clean.includes(value)) clean = clean.replaceAll(value, redacted);
  }
  return clean
    .replace(urlCredentials, '$1')
    .replace(urlQuery, '$1')
    .replace(bearer, `$1 ${redacted}`)
    .replace(keyLike, redacted);
}
