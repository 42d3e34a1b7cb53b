import type { DialectName } from '../core/operation.ts';

/*
 * Encrypted reasoning and signatures can be read only by the provider that wrote them. What one format writes goes through
 * another format's callers under a seal that names where it may return to; everybody else leaves it out.
 */

const sealPattern = /^([a-z]+(?:-[a-z]+)*):/;

/** Provider signatures are base64, which has no colon. */
export function sealed(dialect: DialectName, text: string): string {
  return `${dialect}:${text}`;
}

/** What stands under this dialect's seal; undefined when it is another's, or unsealed. */
export function unsealed(dialect: DialectName, text: string): string | undefined {
  return text.startsWith(`${dialect}:`) ? text.slice(dialect.length + 1) : undefined;
}

/** Does this belong to a format that seals, so that no other may send it to its provider? */
export function isSealed(text: string): boolean {
  return sealPattern.test(text);
}
