import { GatewayError } from '../core/errors.ts';
import { asPlanned, type Identified, type Planned, type Route, type RouteGroup } from '../core/exchange.ts';
import type { Deployment, FallbackMap } from '../core/route.ts';
import { deniedBy, modelDenied } from './access/model-access.ts';
import type { Gateway } from './gateway.ts';
import { passThroughRoute } from './pass-through/route.ts';
import { candidatesOf } from './routing/candidates.ts';
import { groupFor } from './routing/complexity.ts';
import { type FoundModel, findModel, unknownModel } from './routing/model-lookup.ts';

export { type Picked, pickDeployment, type Resting } from './routing/pick-deployment.ts';

/**
 * Station 3: where the request may go. A pure function of the snapshot and the principal: the key's alias, access on
 * every list of the chain, the group and its usable deployments, the fallbacks the key may use.
 */
export function plan(gateway: Gateway, identified: Identified, wanted = identified.facts.model): Planned {
  const { snapshot, principal, path, passThrough } = identified;
  if (passThrough !== null) {
    return asPlanned(identified, { ...passThroughRoute(identified, passThrough), plannedTick: gateway.clock.tick() });
  }
  const asked = wanted || snapshot.settings.defaultModels[identified.operation];
  if (asked === undefined || asked === '') {
    throw new GatewayError('malformed_request', 'model: required, the name of a model. `/v1/models` lists them.', {
      param: 'model',
    });
  }
  const named = Object.hasOwn(principal.modelAliases, asked) ? principal.modelAliases[asked]! : asked;
  const target = measured(identified, named);
  const found = findModel(snapshot, target, principal.teamId);
  requireAccess(identified, named, found);
  if (found === null) {
    const instead = allowedOf(identified, snapshot.router.defaultFallbacks, target);
    if (instead.length === 0) throw unknownModel(snapshot, principal, asked, path);
    const [first, ...rest] = instead;
    return asPlanned(identified, {
      model: target,
      route: routeOf(gateway, identified, first!, rest),
      plannedTick: gateway.clock.tick(),
    });
  }
  const { recall } = identified;
  const route = routeOf(gateway, identified, target, null, named);
  return asPlanned(identified, {
    model: found.group.name,
    route: recall === null || recall.pinned === null ? route : pinnedRoute(route, recall.pinned),
    plannedTick: gateway.clock.tick(),
  });
}

/** The group that a request under the name of a complexity router is hard enough for; any other name as it is. */
function measured(identified: Identified, name: string): string {
  const route = identified.snapshot.complexityRoutes?.get(name);
  return route === undefined ? name : groupFor(route, identified);
}

/** The same where it is known already which deployment it goes to; `name` is what the caller calls the model. */
export function planAt(gateway: Gateway, identified: Identified, name: string, deployment: Deployment): Planned {
  const { principal, snapshot } = identified;
  const { group } = deployment;
  const rule = deniedBy(principal, { asked: name, group, deployments: [deployment] }, snapshot);
  if (rule !== null) throw modelDenied(rule, name, snapshot);
  const candidates = [deployment];
  const route = { ...noFallbacks, primary: { name: group, wildcardMatches: null, candidates }, reachable: candidates };
  return asPlanned(identified, { model: group, route, plannedTick: gateway.clock.tick() });
}

/** The earlier answer is kept by one provider for one account: nobody else can go on from it. */
function pinnedRoute(route: Route, pinned: Deployment): Route {
  const account = (endpoint: Deployment['endpoint']) => [endpoint.origin, ...endpoint.headers].join('\n');
  const candidates = route.primary.candidates.filter(
    (deployment) => deployment.id === pinned.id || account(deployment.endpoint) === account(pinned.endpoint),
  );
  if (candidates.length === 0) {
    throw new GatewayError(
      'previous_response_not_found',
      `The earlier answer is kept by ${pinned.provider.name}, where ${route.primary.name} is not served: ` +
        'use a model of the same account, or send the whole conversation as input.',
      { param: 'previous_response_id' },
    );
  }
  return { ...route, ...noFallbacks, primary: { ...route.primary, candidates }, reachable: candidates };
}

/**
 * What one group offers this request. Throws a GatewayError that says why when it offers nothing or is not allowed. `asked`:
 * what it was asked for as, where that is another name: being allowed either is enough.
 */
export function planGroup(_gateway: Gateway, identified: Identified, given: string, asked = given): RouteGroup {
  const { snapshot, principal } = identified;
  const name = measured(identified, given);
  const found = findModel(snapshot, name, principal.teamId);
  requireAccess(identified, asked, found);
  if (found === null) throw unknownModel(snapshot, principal, name, identified.path);
  return {
    name: found.group.name,
    wildcardMatches: found.wildcardMatches,
    candidates: candidatesOf(identified, found.group),
  };
}

export type FallbackLists = Pick<Route, 'fallbacks' | 'contextWindowFallbacks' | 'contentPolicyFallbacks'>;

const noFallbacks: FallbackLists = Object.freeze({
  fallbacks: [],
  contextWindowFallbacks: [],
  contentPolicyFallbacks: [],
});

/** The groups to try when this one failed, each only if the key may use it; what the caller named replaces the general list. */
export function fallbacksOf(identified: Identified, groupName: string, asked = groupName): FallbackLists {
  const { options, snapshot } = identified;
  const { router } = snapshot;
  if (options.fallbacksDisabled) return noFallbacks;
  return {
    fallbacks:
      options.fallbacks === null
        ? allowedOf(identified, lookUp(router.fallbacks, groupName, asked) ?? router.defaultFallbacks, groupName)
        : askedFallbacks(identified, groupName),
    contextWindowFallbacks: allowedOf(
      identified,
      lookUp(router.contextWindowFallbacks, groupName, asked) ?? [],
      groupName,
    ),
    contentPolicyFallbacks: allowedOf(
      identified,
      lookUp(router.contentPolicyFallbacks, groupName, asked) ?? [],
      groupName,
    ),
  };
}

/** The name it was asked for under, the group's, that without its provider, then `*`. */
function lookUp(map: FallbackMap, name: string, asked: string): readonly string[] | undefined {
  if (map.size === 0) return undefined;
  const slash = name.indexOf('/');
  return map.get(asked) ?? map.get(name) ?? (slash < 0 ? undefined : map.get(name.slice(slash + 1))) ?? map.get('*');
}

function allowedOf(identified: Identified, names: readonly string[], except: string): readonly string[] {
  if (names.length === 0) return names;
  return names.filter((name) => name !== except && isAllowed(identified, name));
}

function isAllowed({ principal, snapshot }: Identified, name: string): boolean {
  // Where a complexity router leads is known when it is asked.
  if (snapshot.complexityRoutes?.has(name)) return true;
  const found = findModel(snapshot, name, principal.teamId);
  return found !== null && deniedBy(principal, namesOf(name, found), snapshot) === null;
}

function askedFallbacks(identified: Identified, except: string): readonly string[] {
  const names: string[] = [];
  for (const { model } of identified.options.fallbacks ?? []) {
    const found = findModel(identified.snapshot, model, identified.principal.teamId);
    requireAccess(identified, model, found);
    if (found === null) throw unknownModel(identified.snapshot, identified.principal, model, identified.path);
    if (model !== except) names.push(model);
  }
  return names;
}

function requireAccess({ principal, snapshot }: Identified, name: string, found: FoundModel | null): void {
  const rule = deniedBy(principal, namesOf(name, found), snapshot);
  if (rule !== null) throw modelDenied(rule, name, snapshot);
}

function namesOf(name: string, found: FoundModel | null) {
  return { asked: name, group: found?.group.name ?? name, deployments: found?.group.deployments ?? [] };
}

/**
 * The route from a group. A group that offers nothing gives its place to the first fallback that does; a context window
 * that is known to be too small, to the first of the context-window fallbacks.
 */
function routeOf(
  gateway: Gateway,
  identified: Identified,
  name: string,
  given: readonly string[] | null,
  asked = name,
): Route {
  const found = findModel(identified.snapshot, name, identified.principal.teamId);
  const lists = fallbacksOf(identified, found?.group.name ?? name, asked === name ? undefined : asked);
  const general = given ?? lists.fallbacks;
  let primary: RouteGroup | null = null;
  let fallbacks = general;
  try {
    primary = planGroup(gateway, identified, name, asked);
  } catch (cause) {
    const own = cause instanceof GatewayError && cause.code === 'context_window_exceeded';
    const instead = own && lists.contextWindowFallbacks.length > 0 ? lists.contextWindowFallbacks : general;
    for (const [index, fallback] of instead.entries()) {
      primary = planOrNull(gateway, identified, fallback);
      if (primary === null) continue;
      fallbacks = instead.slice(index + 1);
      break;
    }
    if (primary === null) throw cause;
  }
  const route = { ...lists, primary, fallbacks };
  return { ...route, reachable: reachableFrom(gateway, identified, route) };
}

function planOrNull(gateway: Gateway, identified: Identified, name: string): RouteGroup | null {
  try {
    return planGroup(gateway, identified, name);
  } catch {
    return null;
  }
}

/** Every deployment that the attempts of this request may reach, fallbacks of fallbacks included. */
function reachableFrom(
  gateway: Gateway,
  identified: Identified,
  route: FallbackLists & { readonly primary: RouteGroup },
): readonly Deployment[] {
  let level = namesIn(route);
  if (level.length === 0) return route.primary.candidates;
  const reachable = new Set(route.primary.candidates);
  const seen = new Set([route.primary.name]);
  const { fallbacksMax } = identified.snapshot.router;
  for (let depth = 1; depth <= fallbacksMax && level.length > 0; depth++) {
    const next: string[] = [];
    for (const name of level) {
      if (seen.has(name)) continue;
      seen.add(name);
      for (const deployment of planOrNull(gateway, identified, name)?.candidates ?? []) reachable.add(deployment);
      if (depth < fallbacksMax) next.push(...namesIn(fallbacksOf(identified, name)));
    }
    level = next;
  }
  return [...reachable];
}

function namesIn(lists: FallbackLists): readonly string[] {
  const { fallbacks, contextWindowFallbacks, contentPolicyFallbacks } = lists;
  return contextWindowFallbacks.length === 0 && contentPolicyFallbacks.length === 0
    ? fallbacks
    : [...fallbacks, ...contextWindowFallbacks, ...contentPolicyFallbacks];
}
