import { GatewayError } from '../../core/errors.ts';
import type { Principal } from '../../core/identity.ts';
import { patternMatches } from '../../core/wildcard.ts';

/** Throws GatewayError('route_denied') unless the key may call this route: exact path, `prefix/*`, or a group's name. */
export function requireAllowedRoute(principal: Principal, path: string, routeGroups: readonly string[]): void {
  const allowed = principal.allowedRoutes;
  if (allowed.length === 0) return;
  for (const entry of allowed) {
    if (routeGroups.includes(entry) || patternMatches(entry, path)) return;
    // `/v1/…` and the same path without it are one route.
    if (path.startsWith('/v1/') ? patternMatches(entry, path.slice(3)) : patternMatches(entry, `/v1${path}`)) return;
  }
  const list = allowed.map((entry) => `'${entry}'`).join(', ');
  throw new GatewayError(
    'route_denied',
    `Virtual key is not allowed to call this route. Only allowed routes: [${list}]. Tried to call route: ${path}`,
  );
}
