import { GatewayError } from '../../core/errors.ts';
import type { Identified, PassThrough, Route } from '../../core/exchange.ts';
import { freePrice } from '../../core/price.ts';
import type { Provider, ProviderEndpoint } from '../../core/provider.ts';
import type { Deployment, PassThroughTarget } from '../../core/route.ts';
import { patternMatches } from '../../core/wildcard.ts';
import { deniedBy, modelDenied } from '../access/model-access.ts';
import { findModel } from '../routing/model-lookup.ts';

/** Methods that ask for nothing to be made. */
const freeMethods: ReadonlySet<string> = new Set(['GET', 'DELETE']);

/**
 * Where a passed-through request goes: to a deployment of the named provider, for its address, its credential and, where the
 * request names the deployment's model, its price. A request that names no model has no price: under a hard budget only
 * what makes nothing may be asked.
 */
export function passThroughRoute(identified: Identified, passThrough: PassThrough): { model: string; route: Route } {
  const { snapshot, principal, facts } = identified;
  const { provider: name, method, target } = passThrough;
  if (target !== undefined) return targetRoute(passThrough, target);
  const all = [...snapshot.deployments.values()].filter(
    ({ provider, unusable, blocked, teamId }) =>
      (provider.id === name || provider.aliases.includes(name)) &&
      unusable === null &&
      !blocked &&
      (teamId === null || teamId === principal.teamId),
  );
  const named = facts.model;
  const found = named === undefined ? preferred(all) : ofModel(identified, all, named);
  if (found.length === 0) {
    throw new GatewayError(
      named === undefined ? 'no_capable_deployment' : 'unknown_model',
      named === undefined
        ? `No deployment of ${name} can be used.`
        : `Model '${named.slice(0, 100)}' is not configured for ${name}: add it, or '${name}/*', to model_list.`,
      { param: 'model' },
    );
  }
  const allowed = found.filter((deployment) => {
    const asked = named === undefined ? `${deployment.provider.id}/*` : deployment.group;
    const names = { asked, group: asked, deployments: [deployment] };
    return deniedBy(principal, names, snapshot) === null;
  });
  if (allowed.length === 0) {
    const asked = named ?? `${name}/*`;
    throw modelDenied(deniedBy(principal, { asked, group: asked, deployments: found }, snapshot)!, asked, snapshot);
  }
  const isFree = freeMethods.has(method);
  const candidates = allowed.map((deployment) => passing(deployment, passThrough, named, isFree));
  const primary = { name: named ?? name, wildcardMatches: null, candidates };
  const none = { fallbacks: [], contextWindowFallbacks: [], contentPolicyFallbacks: [] };
  return { model: primary.name, route: { primary, ...none, reachable: candidates } };
}

function preferred(all: readonly Deployment[]): readonly Deployment[] {
  const meant = all.filter(({ passesThrough }) => passesThrough);
  return meant.length > 0 ? meant : all;
}

/** A path that the operator opened: who may use it is said by the key's routes, not by its models. */
function targetRoute({ rest, query, method }: PassThrough, target: PassThroughTarget): { model: string; route: Route } {
  if (target.methods !== null && !target.methods.includes(method)) {
    const allow = target.methods.join(', ');
    throw new GatewayError('method_not_allowed', `${target.path} takes ${allow}, not ${method}.`, {
      headers: { allow },
    });
  }
  const parameters = new URLSearchParams(query);
  for (const [name, value] of new URLSearchParams(target.query)) if (!parameters.has(name)) parameters.set(name, value);
  const { deployment } = target;
  const asked = parameters.toString();
  const path = `${deployment.endpoint.path('pass-through', '', false)}${rest}` || '/';
  const endpoint = { ...deployment.endpoint, path: () => (asked === '' ? path : `${path}?${asked}`) };
  const candidates = [{ ...deployment, endpoint }];
  const primary = { name: target.path, wildcardMatches: null, candidates };
  const none = { fallbacks: [], contextWindowFallbacks: [], contentPolicyFallbacks: [] };
  return { model: target.path, route: { primary, ...none, reachable: candidates } };
}

/** Deployments of the model: by its upstream name, else what `provider/model` or `model` leads to. */
function ofModel({ snapshot }: Identified, all: readonly Deployment[], model: string): readonly Deployment[] {
  const own = all.filter((deployment) => deployment.model === model);
  if (own.length > 0) return own;
  const providers = new Set(all.map(({ provider }) => provider.id));
  for (const id of providers) {
    for (const name of [`${id}/${model}`, model]) {
      const found = findModel(snapshot, name);
      const theirs = found?.group.deployments.filter(({ provider }) => providers.has(provider.id)) ?? [];
      if (theirs.length > 0) return theirs;
    }
  }
  return all.filter((deployment) => deployment.model.includes('*') && patternMatches(deployment.model, model));
}

/** The same deployment for a path of the caller's: nothing is tried twice, for nobody knows what a second time would do. */
function passing(
  deployment: Deployment,
  passThrough: PassThrough,
  named: string | undefined,
  isFree: boolean,
): Deployment {
  const { endpoint, provider, traits } = deployment;
  const { soleDialect: _sole, dialectInstead: _instead, ...rest } = traits;
  const path = addressOf(deployment, passThrough);
  return {
    ...deployment,
    provider: passingProvider(provider),
    endpoint: { ...endpoint, path: () => path } satisfies ProviderEndpoint,
    model: named ?? deployment.model,
    price: isFree ? freePrice : named === undefined ? null : deployment.price,
    traits: rest,
    retries: 0,
    // What callers make of such paths says nothing about the deployment.
    cooldownMs: 0,
    defaults: {},
    extraBody: {},
  };
}

const providers = new WeakMap<Provider, Provider>();

function passingProvider(provider: Provider): Provider {
  let passing = providers.get(provider);
  if (passing === undefined) {
    passing = { ...provider, dialects: { ...provider.dialects, pass_through: ['pass-through'] } };
    providers.set(provider, passing);
  }
  return passing;
}

/**
 * The caller's path behind the configured base address. A version at its beginning takes the place of the base's own, for
 * callers write what the provider documents: `/v1/files` below `https://host/v1`.
 */
function addressOf({ apiBase }: Deployment, { rest, query }: PassThrough): string {
  const base = URL.canParse(apiBase) ? new URL(apiBase).pathname.replace(/\/+$/, '') : '';
  const [first = ''] = rest.slice(1).split('/', 1);
  const isVersion = /^v\d+[a-z0-9]*$/.test(first);
  const prefix = isVersion
    ? base.replace(/\/v\d+[a-z0-9]*$/, '')
    : base.endsWith(`/${first}`)
      ? base.slice(0, -first.length - 1)
      : base;
  return `${prefix}${rest}${query === '' ? '' : `?${query}`}`;
}
