import { GatewayError } from '../../core/errors.ts';
import type { Principal } from '../../core/identity.ts';
import type { RouteRules } from '../../core/route.ts';
import { patternMatches } from '../../core/wildcard.ts';

/** What the operator lets virtual keys call at all. Throws GatewayError('route_denied'). */
export function requireOpenRoute(rules: RouteRules, path: string, routeGroups: readonly string[]): void {
  if (rules.allowed.length > 0 && !isNamed(rules.allowed, path, routeGroups)) {
    throw new GatewayError('route_denied', `user not allowed to access this route. Route=${path} is not open here.`);
  }
  if (isNamed(rules.adminOnly, path, routeGroups)) {
    throw new GatewayError(
      'route_denied',
      `user not allowed to access this route. Route=${path} is an admin only route.`,
    );
  }
}

/** Throws GatewayError('route_denied') unless the key may call this route: exact path, `prefix/*`, or a group's name. */
export function requireAllowedRoute(principal: Principal, path: string, routeGroups: readonly string[]): void {
  const allowed = principal.allowedRoutes;
  if (allowed.length === 0) return;
  if (isNamed(allowed, path, routeGroups)) return;
  const list = allowed.map((entry) => `'${entry}'`).join(', ');
  throw new GatewayError(
    'route_denied',
    `Virtual key is not allowed to call this route. Only allowed routes: [${list}]. Tried to call route: ${path}`,
  );
}

function isNamed(entries: readonly string[], path: string, routeGroups: readonly string[]): boolean {
  // `/v1/…` and the same path without it are one route.
  const other = path.startsWith('/v1/') ? path.slice(3) : `/v1${path}`;
  return entries.some(
    (entry) => routeGroups.includes(entry) || patternMatches(entry, path) || patternMatches(entry, other),
  );
}
