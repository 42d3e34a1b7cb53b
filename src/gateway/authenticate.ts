import { andThen } from '../core/and-then.ts';
import { asGatewayError, GatewayError } from '../core/errors.ts';
import { asIdentified, type CallerHeaders, type Identified, type Received } from '../core/exchange.ts';
import { barePrincipal, type Principal } from '../core/identity.ts';
import type { EndUserLimits, PrincipalSource } from '../core/ports.ts';
import type { GatewaySettings } from '../core/route.ts';
import { actingUser, inHandsOf } from './access/acting-user.ts';
import { requireAllowedRoute, requireOpenRoute } from './access/allowed-routes.ts';
import { clientSecretPrefix, credentialOf, keyIdOf, maskedKey, sameKeyId } from './access/credential.ts';
import { endUserOf } from './access/end-user.ts';
import { callerAddress, requireAllowedAddress, requireParams } from './access/entry-rules.ts';
import type { Gateway } from './gateway.ts';
import { uniqueTags } from './receive/option-values.ts';

/**
 * Station 2: who asks. Master key → administrator; virtual key → what its chain (key, user, team, organization) says;
 * no master key configured → everybody is administrator. Nothing so far has cost money or left this process, except for
 * the look-up of a key that is not in the cache.
 */
export function authenticate(
  gateway: Gateway,
  received: Received,
  routeGroups: readonly string[],
  onBehalfOf?: string,
): Identified | Promise<Identified> {
  const { settings } = received.snapshot;
  requireAllowedAddress(settings, received.clientAddress);
  const found =
    onBehalfOf === undefined
      ? principalOf(gateway.principals, settings, received.headers)
      : principalById(gateway.principals, onBehalfOf);
  return andThen(found, (holder) => {
    const userId = onBehalfOf === undefined ? actingUser(settings, received.headers) : null;
    return userId === null
      ? entered(gateway, received, routeGroups, holder)
      : asUser(gateway.principals, holder, userId).then((user) => entered(gateway, received, routeGroups, user));
  });
}

/** Whoever it is may ask this, in the name of whom the request says. */
function entered(
  gateway: Gateway,
  received: Received,
  routeGroups: readonly string[],
  principal: Principal,
): Identified | Promise<Identified> {
  const { settings } = received.snapshot;
  if (principal.kind === 'virtual_key') {
    requireUsable(principal, received.receivedAt);
    if (settings.routeRules) requireOpenRoute(settings.routeRules, received.path, routeGroups);
    requireAllowedRoute(principal, received.path, routeGroups);
    requireParams(received, principal);
  }
  const named = endUserOf(received);
  if (named !== null) {
    return andThen(endUserLimits(gateway, named), (limits) => {
      requireEndUser(limits, named);
      return identifiedAs(gateway, received, principal, settings.endUsersIgnored ? null : named);
    });
  }
  if (settings.enforceUserParam) {
    throw new GatewayError(
      'malformed_request',
      "BadRequest please pass param=user: this gateway requires every request to name its end user in the field 'user'.",
      { param: 'user' },
    );
  }
  return identifiedAs(gateway, received, principal, null);
}

function identifiedAs(
  gateway: Gateway,
  received: Received,
  principal: Principal,
  endUserId: string | null,
): Identified {
  const { snapshot, options } = received;
  const { tags } = options;
  const own = principal.routerSettings ? gateway.ownRouting(snapshot, principal.routerSettings) : snapshot;
  return asIdentified(received, own, {
    principal,
    endUserId,
    recall: null,
    tags: principal.tags.length === 0 ? tags : uniqueTags([...principal.tags, ...tags]),
    identifiedTick: gateway.clock.tick(),
  });
}

/** Whoever comes through a door other than a request's journey. Throws GatewayError when it may not. */
export async function admitCaller(
  { principals, clock, snapshot }: Gateway,
  caller: {
    readonly headers: CallerHeaders;
    readonly address: string | null;
    readonly path: string;
    /** The key that a client secret stands for. */
    readonly onBehalfOf?: string | undefined;
  },
  routeGroups: readonly string[],
): Promise<Principal> {
  const { settings } = snapshot();
  requireAllowedAddress(settings, callerAddress(settings, caller.headers, caller.address));
  const { headers, onBehalfOf } = caller;
  const principal = await (onBehalfOf === undefined
    ? principalOf(principals, settings, headers)
    : principalById(principals, onBehalfOf));
  if (principal.kind === 'virtual_key') {
    requireUsable(principal, clock.now());
    if (settings.routeRules) requireOpenRoute(settings.routeRules, caller.path, routeGroups);
    requireAllowedRoute(principal, caller.path, routeGroups);
  }
  return principal;
}

/**
 * The refusal of a request that could not be read: whoever has no valid key hears of that, and nothing (`ofRequest`)
 * about what was sent.
 */
export async function credentialFirst(
  gateway: Gateway,
  headers: CallerHeaders,
  ofRequest: GatewayError,
): Promise<GatewayError> {
  try {
    const principal = await principalOf(gateway.principals, gateway.snapshot().settings, headers);
    if (principal.kind === 'virtual_key') requireUsable(principal, gateway.clock.now());
    return ofRequest;
  } catch (cause) {
    return asGatewayError(cause);
  }
}

/** Whose credential the headers hold; used by every door. Throws GatewayError when there is none or it is not known. */
export function principalOf(
  principals: Pick<PrincipalSource, 'find'>,
  settings: Pick<GatewaySettings, 'masterKeyHash' | 'keyHeaderName'>,
  headers: CallerHeaders,
): Principal | Promise<Principal> {
  const { masterKeyHash, keyHeaderName } = settings;
  if (masterKeyHash === null) return anonymous;
  const key = credentialOf(headers, keyHeaderName);
  if (key === null) {
    throw new GatewayError(
      'no_key',
      "Authentication Error, No api key passed in. Send 'Authorization: Bearer <key>' with a key of this gateway.",
    );
  }
  const keyId = keyIdOf(key);
  if (sameKeyId(keyId, masterKeyHash)) return master;
  if (key.startsWith(clientSecretPrefix)) {
    throw new GatewayError(
      'malformed_key',
      'Authentication Error, a client secret opens realtime sessions (a WebSocket at /v1/realtime) and nothing else.',
    );
  }
  if (!key.startsWith('sk-')) {
    throw new GatewayError(
      'malformed_key',
      `Authentication Error, LiteLLM Virtual Key expected. Received=${maskedKey(key)}, expected to start with 'sk-'.`,
    );
  }
  return andThen(
    fromStore(() => principals.find(keyId)),
    (found) => known(found, key),
  );
}

/** The holder of a key that was shown before. Throws GatewayError when the key is gone meanwhile. */
export function principalById(
  principals: Pick<PrincipalSource, 'find'>,
  keyId: string,
): Principal | Promise<Principal> {
  if (keyId === master.keyId) return master;
  if (keyId === anonymous.keyId) return anonymous;
  return andThen(
    fromStore(() => principals.find(keyId)),
    stillThere,
  );
}

async function asUser(principals: PrincipalSource, holder: Principal, userId: string): Promise<Principal> {
  return stillThere(await fromStore(() => inHandsOf(principals, holder, userId)));
}

function stillThere(principal: Principal | undefined): Principal {
  if (principal !== undefined) return principal;
  throw new GatewayError('unknown_key', 'The key that this was asked for with does not exist any more.');
}

function known(principal: Principal | undefined, key: string): Principal {
  if (principal !== undefined) return principal;
  throw new GatewayError(
    'unknown_key',
    `Authentication Error, Invalid proxy server token passed. Received API Key = ${maskedKey(key)}. ` +
      'No such key: it was mistyped, deleted or replaced.',
    { param: 'key' },
  );
}

function endUserLimits(gateway: Gateway, endUserId: string): EndUserLimits | Promise<EndUserLimits> {
  return fromStore(() => gateway.principals.endUser(endUserId));
}

/** A store that does not answer is not the caller's fault, and says nothing about its key. */
export function fromStore<T>(ask: () => T | Promise<T>): T | Promise<T> {
  try {
    const answer = ask();
    return answer instanceof Promise ? answer.catch(unavailable) : answer;
  } catch (cause) {
    return unavailable(cause);
  }
}

function unavailable(cause: unknown): never {
  if (cause instanceof GatewayError) throw cause;
  const error = new GatewayError(
    'budget_store_unavailable',
    'The key store does not answer, so this request cannot be checked. Try again shortly.',
    { retryAfterSeconds: 1 },
  );
  error.cause = cause;
  throw error;
}

/** Throws GatewayError for a key that is blocked or has expired. */
export function requireUsable(principal: Principal, now: number): void {
  if (principal.blocked !== null) {
    const what = principal.blocked;
    throw new GatewayError(
      'blocked',
      `Authentication Error, ${what[0]!.toUpperCase()}${what.slice(1)} is blocked. ` +
        `Update via \`/${what}/unblock\` if you're an admin.`,
    );
  }
  if (principal.expiresAt !== null && principal.expiresAt <= now) {
    throw new GatewayError(
      'expired_key',
      'Authentication Error - Expired Key. Key Expiry time ' +
        `${new Date(principal.expiresAt).toISOString()} and current time ${new Date(now).toISOString()}`,
      { param: principal.keyName ?? 'key' },
    );
  }
}

function requireEndUser(limits: EndUserLimits, endUserId: string): void {
  if (limits.blocked) {
    throw new GatewayError(
      'blocked',
      `Authentication Error, User blocked from making LLM API Calls. User=${endUserId}. ` +
        "Update via `/customer/unblock` if you're an admin.",
    );
  }
}

const administrator: Principal = { ...barePrincipal, userId: 'default_user_id', role: 'proxy_admin' };

/** The administrator's key in records and for work without a caller. */
export const masterKeyId = 'master_key';

/** The master key stands in records under its name: its hash would invite guessing of a weak one. */
const master: Principal = Object.freeze({
  ...administrator,
  kind: 'master',
  keyId: masterKeyId,
  keyAlias: masterKeyId,
});

const anonymous: Principal = Object.freeze({
  ...administrator,
  kind: 'anonymous',
  keyId: 'anonymous',
  keyAlias: 'anonymous',
});
