import { GatewayError } from '../core/errors.ts';
import type { Actor } from './actor.ts';
import { isAdministrator, seesEverything } from './actor.ts';

/**
 * What is done to an object. `limit` is a change of what bounds the object itself (budgets, rates, models, routes,
 * blocking, role): it needs authority over whatever contains the object, or a bound would be no bound.
 */
export type Action = 'read' | 'create' | 'update' | 'limit' | 'delete';

export type ObjectKind = 'key' | 'team' | 'project' | 'membership' | 'user' | 'organization' | 'other';

/** Whose an object is. */
export interface Ownership {
  readonly kind: ObjectKind;
  /** Id of the object. */
  readonly id: string;
  readonly userId: string | null;
  readonly teamId: string | null;
  readonly organizationId: string | null;
}

/** Deny by default: only what stands here is allowed. */
export function isAuthorized(actor: Actor, action: Action, object: Ownership): boolean {
  if (isAdministrator(actor)) return true;
  if (action === 'read' && seesEverything(actor)) return true;
  const mayChange = actor.role === 'internal_user' || actor.role === 'org_admin';
  if (action !== 'read' && !mayChange) return false;
  const { principal } = actor;
  const organizationAdmin =
    object.organizationId !== null && actor.organizationsAdministered.has(object.organizationId);
  const teamAdmin = object.teamId !== null && actor.teamsAdministered.has(object.teamId);
  switch (object.kind) {
    case 'key': {
      if (action === 'read' && object.id === principal.keyId) return true;
      if (organizationAdmin || teamAdmin) return true;
      const own = object.userId !== null && object.userId === principal.userId;
      // A key in a team spends the team's money: only those who run the team hand such keys out.
      return own && action !== 'limit' && (object.teamId === null || action === 'read' || action === 'delete');
    }
    case 'team':
      if (organizationAdmin) return true;
      if (action === 'read') return actor.teams.has(object.id) || object.id === principal.teamId;
      return teamAdmin && action === 'update';
    case 'project':
      if (teamAdmin) return true;
      return (
        action === 'read' &&
        object.teamId !== null &&
        (actor.teams.has(object.teamId) || object.teamId === principal.teamId)
      );
    case 'membership':
      if (teamAdmin || organizationAdmin) return true;
      return action === 'read' && object.userId !== null && object.userId === principal.userId;
    case 'organization':
      if (action === 'read') return organizationAdmin || actor.organizations.has(object.id);
      return organizationAdmin && action === 'update';
    case 'user':
      return object.id === principal.userId && (action === 'read' || action === 'update');
    case 'other':
      return false;
  }
}

/** Foreign and missing objects answer alike, so that ids cannot be probed. */
export function authorize(actor: Actor, action: Action, object: Ownership): void {
  if (isAuthorized(actor, action, object)) return;
  if (action !== 'create' && !isAuthorized(actor, 'read', object)) throw notFound(object.kind, object.id);
  throw new GatewayError(
    'route_denied',
    action === 'limit'
      ? `User=${actor.name} may not change budgets, limits, access or ownership of this ${object.kind}.`
      : `User=${actor.name} with role=${actor.role} may not ${action} this ${object.kind}.`,
  );
}

export function notFound(kind: string, id: string): GatewayError {
  return new GatewayError('not_found', `${kind[0]?.toUpperCase()}${kind.slice(1)} not found: ${shownId(id)}.`);
}

/** A row of this id is there already. */
export function exists(kind: string, id: string): GatewayError {
  const words = kind.replaceAll('_', ' ');
  return new GatewayError('malformed_request', `Already exists: there is a ${words} ${shownId(id)}.`, { param: 'id' });
}

/** A caller may have put a whole key where an id belongs: it is never repeated. */
export function shownId(id: string): string {
  return id.startsWith('sk-') ? `sk-...${id.slice(-4)}` : id.slice(0, 128);
}
