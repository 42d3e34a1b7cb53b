import { GatewayError } from '../core/errors.ts';
import type { Actor } from './actor.ts';
import { isAdministrator, seesEverything } from './actor.ts';
import type { Endpoint, RouteGroup } from './contract.ts';

/** Other names under which `allowed_routes` knows a group. */
const groupNames: Readonly<Record<RouteGroup, readonly string[]>> = {
  llm_api_routes: ['llm_api_routes', 'openai_routes', 'anthropic_routes'],
  info_routes: ['info_routes'],
  management_routes: ['management_routes'],
  spend_tracking_routes: ['spend_tracking_routes'],
};

const managingRoles: ReadonlySet<string> = new Set(['org_admin', 'internal_user', 'internal_user_viewer']);

/** The operator's rules of routes, as far as the control plane asks them; null = none. */
export type OpenRoutes = (path: string, groups: readonly string[]) => void;

/** Whether an actor may call an endpoint at all, decided on the matched endpoint. Throws GatewayError('route_denied'). */
export function admitActor(actor: Actor, endpoint: Endpoint, path: string, requireOpen?: OpenRoutes): void {
  if (endpoint.access === 'public') return;
  if (requireOpen !== undefined && !isAdministrator(actor)) requireOpen(path, groupNames[endpoint.group]);
  if (!mayCall(actor, endpoint)) {
    throw new GatewayError(
      'route_denied',
      `user not allowed to access this route. Route=${path} is an admin only route. Role of this key: ${actor.role}.`,
    );
  }
  const allowed = actor.principal.allowedRoutes;
  if (actor.principal.kind !== 'virtual_key' || allowed.length === 0) return;
  const names = groupNames[endpoint.group];
  const matches = allowed.some(
    (route) =>
      route === path ||
      route === endpoint.path ||
      names.includes(route) ||
      (route.endsWith('/*') && path.startsWith(route.slice(0, -1))),
  );
  if (!matches)
    throw new GatewayError(
      'route_denied',
      `Virtual key is not allowed to call this route. Only allowed routes: [${allowed.join(', ')}]. Tried to call route: ${path}`,
    );
}

function mayCall(actor: Actor, endpoint: Endpoint): boolean {
  switch (endpoint.access) {
    case 'public':
    case 'any_key':
      return true;
    case 'self_service':
      return seesEverything(actor) || (managingRoles.has(actor.role) && actor.principal.userId !== null);
    case 'admin_read':
      return seesEverything(actor);
    case 'admin':
      return isAdministrator(actor);
  }
}
