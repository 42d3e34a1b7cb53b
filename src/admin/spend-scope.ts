import { GatewayError } from '../core/errors.ts';
import type { UsageFilter } from '../core/store.ts';
import type { Actor } from './actor.ts';
import { seesEverything } from './actor.ts';
import { keyIdOf } from './key.ts';

export interface SpendQuestion {
  readonly api_key?: string | undefined;
  readonly user_id?: string | undefined;
  readonly team_id?: string | undefined;
}

/**
 * The part of the records that an actor may ask about: administrators all of it, team administrators their teams, users
 * what is theirs, a bare key what it did itself. What is asked for beyond that is refused, not silently narrowed.
 */
export function spendScope(actor: Actor, asked: SpendQuestion): UsageFilter {
  const filter: UsageFilter = {
    ...(asked.api_key === undefined ? {} : { keyId: keyIdOf(asked.api_key) }),
    ...(asked.user_id === undefined ? {} : { userId: asked.user_id }),
    ...(asked.team_id === undefined ? {} : { teamId: asked.team_id }),
  };
  if (seesEverything(actor)) return filter;
  if (filter.teamId !== undefined && actor.teamsAdministered.has(filter.teamId)) return filter;
  const { userId, keyId } = actor.principal;
  const own = userId === null ? { keyId } : { userId };
  const beyond =
    (filter.userId !== undefined && filter.userId !== userId) ||
    (userId === null && filter.keyId !== undefined && filter.keyId !== keyId);
  if (beyond)
    throw new GatewayError(
      'route_denied',
      `User=${actor.name} may see its own spend and that of teams it administers.`,
    );
  return { ...filter, ...own };
}

/** Whether a record is among what a scope lets one see. */
export function isWithin(
  scope: UsageFilter,
  record: { keyId: string | null; userId: string | null; teamId: string | null },
): boolean {
  return (
    (scope.keyId === undefined || scope.keyId === record.keyId) &&
    (scope.userId === undefined || scope.userId === record.userId) &&
    (scope.teamId === undefined || scope.teamId === record.teamId)
  );
}
