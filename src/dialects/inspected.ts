import type { Json } from '../core/json.ts';
import { malformed, nameOf } from './body-checks.ts';

/** What the messages of a request hold, found while they are checked. */
export interface Contents {
  vision: boolean;
  audio: boolean;
  files: boolean;
  /** How much of it the provider will read cannot be told from its bytes. */
  unbounded: boolean;
}

export function nothingSeen(): Contents {
  return { vision: false, audio: false, files: false, unbounded: false };
}

const shownMax = 40;

/** One of the roles that a format has for who speaks. `tolerated`: what some servers take as well, and nobody is told of. */
export function requiredRole(
  role: Json | undefined,
  path: string,
  roles: readonly string[],
  tolerated: readonly unknown[] = [],
): string {
  if ((typeof role === 'string' && roles.includes(role)) || tolerated.includes(role)) return role as string;
  const got = typeof role === 'string' ? JSON.stringify(role.slice(0, shownMax)) : nameOf(role);
  const expected = roles.length > 2 ? `one of ${roles.join(', ')}` : roles.map((one) => `"${one}"`).join(' or ');
  throw malformed(path, `expected ${expected}, got ${got}`);
}
