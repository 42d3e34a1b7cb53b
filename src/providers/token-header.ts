import type { Outside } from '../core/ports.ts';
import type { Authorize } from '../core/provider.ts';
import { type Expiring, sharedTokenSource } from '../core/token-source.ts';

/** `Authorization: Bearer TOKEN` with a token that is fetched and kept. `identity` is all that decides which one. */
export function tokenHeader(
  identity: readonly (string | null)[],
  obtain: (outside: Outside) => Promise<Expiring<string>>,
): Authorize {
  const source = sharedTokenSource(identity, async (outside) => {
    const { value, expiresAt } = await obtain(outside);
    return { value: ['authorization', `Bearer ${value}`] as const, expiresAt };
  });
  return (_call, outside) => source.get(outside);
}
