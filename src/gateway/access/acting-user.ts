import type { CallerHeaders } from '../../core/exchange.ts';
import type { Principal } from '../../core/identity.ts';
import type { PrincipalSource } from '../../core/ports.ts';
import type { GatewaySettings } from '../../core/route.ts';

const userIdLengthMax = 256;

/**
 * Whom a front end with one key for all says that it asks for, where the operator trusts a header of it
 * (`user_header_mappings` with the role `internal_user`); null where nobody is named.
 */
export function actingUser(
  { userHeaders }: Pick<GatewaySettings, 'userHeaders'>,
  headers: CallerHeaders,
): string | null {
  for (const name of userHeaders) {
    const value = headers[name];
    if (typeof value === 'string' && value.trim() !== '') return value.trim().slice(0, userIdLengthMax);
  }
  return null;
}

/** The same key in that user's hands: its budgets, limits, models, and a row of its own. */
export function inHandsOf(
  principals: Pick<PrincipalSource, 'find'>,
  principal: Principal,
  userId: string,
): Principal | undefined | Promise<Principal | undefined> {
  if (principal.kind !== 'virtual_key') return { ...principal, userId };
  return principal.userId === userId ? principal : principals.find(principal.keyId, userId);
}
