import { describe, expect, it } from 'vitest';
import { facts, gateway, options, principal, principalSource, snapshot } from '../../test/builders.ts';
import type { Dialect } from '../core/dialect.ts';
import { GatewayError } from '../core/errors.ts';
import { asReceived, type CallerHeaders } from '../core/exchange.ts';
import type { Principal } from '../core/identity.ts';
import type { JsonObject } from '../core/json.ts';
import type { PrincipalSource } from '../core/ports.ts';
import type { GatewaySettings } from '../core/route.ts';
import { keyIdOf } from './access/credential.ts';
import { authenticate } from './authenticate.ts';

const masterKey = 'sk-master-0123456789';
const userKey = 'sk-user-0123456789ab';

interface Asking {
  readonly headers?: CallerHeaders;
  readonly settings?: Partial<GatewaySettings>;
  readonly known?: Partial<Principal>;
  readonly source?: Partial<PrincipalSource>;
  readonly body?: JsonObject;
  readonly user?: string;
  readonly endUserHeader?: string;
  readonly tags?: readonly string[];
}

async function ask(asking: Asking = {}) {
  const known = principal({ keyId: keyIdOf(userKey), ...asking.known });
  const principals = principalSource({ find: (id) => (id === known.keyId ? known : undefined), ...asking.source });
  const received = asReceived({
    id: 'r',
    operation: 'chat',
    dialect: { name: 'openai-chat' } as Dialect,
    path: '/v1/chat/completions',
    address: { model: undefined, stream: undefined, query: '' },
    upload: null,
    funds: null,
    passThrough: null,
    bytes: Buffer.from('{}'),
    body: asking.body ?? {},
    facts: facts({ endUser: asking.user }),
    options: { ...options, endUser: asking.endUserHeader ?? null, tags: asking.tags ?? [] },
    headers: asking.headers ?? { authorization: `Bearer ${userKey}` },
    clientAddress: null,
    client: { gone: false, onGone() {} },
    snapshot: snapshot({ settings: { masterKeyHash: keyIdOf(masterKey), ...asking.settings } }),
    receivedAt: Date.UTC(2026, 0, 1),
    receivedTick: 0,
    arrivedTick: 0,
    trace: null,
  });
  return await authenticate(gateway({ principals }), received, ['llm_api_routes', 'openai_routes']);
}

async function refusal(asking: Asking): Promise<GatewayError> {
  const cause = await ask(asking).catch((error: unknown) => error);
  if (cause instanceof GatewayError) return cause;
  throw new Error('not refused');
}

describe('authenticate: the key', () => {
  it.each([
    [{ authorization: `Bearer ${userKey}` }],
    [{ authorization: `bearer  ${userKey}` }],
    [{ authorization: userKey }],
    [{ 'x-api-key': userKey }],
    [{ 'api-key': userKey }],
    [{ 'x-goog-api-key': userKey }],
    [{ 'ocp-apim-subscription-key': userKey }],
    [{ 'x-litellm-api-key': `Bearer ${userKey}`, authorization: 'Bearer something-else' }],
  ])('is found in %j', async (headers) => {
    expect((await ask({ headers })).principal.keyId).toBe(keyIdOf(userKey));
  });

  it('is found in the operator’s header first', async () => {
    const headers = { 'x-our-key': userKey, authorization: `Bearer ${masterKey}` };
    expect((await ask({ headers, settings: { keyHeaderName: 'X-Our-Key' } })).principal.kind).toBe('virtual_key');
  });

  it('knows the master key, and lets everybody in where there is none', async () => {
    expect((await ask({ headers: { authorization: `Bearer ${masterKey}` } })).principal).toMatchObject({
      kind: 'master',
      role: 'proxy_admin',
    });
    expect((await ask({ headers: {}, settings: { masterKeyHash: null } })).principal.kind).toBe('anonymous');
  });

  it('refuses in the words clients know, and never tells the key', async () => {
    expect(await refusal({ headers: {} })).toMatchObject({ status: 401, type: 'auth_error' });
    expect((await refusal({ headers: {} })).message).toMatch(/^Authentication Error, No api key passed in\./);
    const foreign = await refusal({ headers: { authorization: 'Bearer AIzaSyFOREIGN-0123456789' } });
    expect(foreign.message).toBe(
      "Authentication Error, LiteLLM Virtual Key expected. Received=AI...89, expected to start with 'sk-'.",
    );
    const unknown = 'sk-unknown-0123456789WXYZ';
    const error = await refusal({ headers: { authorization: `Bearer ${unknown}` } });
    expect(error).toMatchObject({ status: 401, type: 'token_not_found_in_db', details: { param: 'key' } });
    expect(error.message).toMatch(/^Authentication Error, Invalid proxy server token passed/);
    expect(error.message).toContain('sk-...WXYZ');
    expect(error.message).not.toContain(unknown);
    expect(error.message).not.toContain(keyIdOf(unknown));
  });

  it('refuses expired and blocked keys', async () => {
    const expired = await refusal({ known: { expiresAt: Date.UTC(2025, 11, 31) } });
    expect(expired).toMatchObject({ status: 401, type: 'expired_key', details: { param: 'sk-...abcd' } });
    expect(expired.message).toContain('Key Expiry time 2025-12-31T00:00:00.000Z and current time 2026-01-01');
    for (const blocked of ['key', 'team', 'user', 'organization'] as const) {
      expect((await refusal({ known: { blocked } })).message).toContain(
        `Update via \`/${blocked}/unblock\` if you're an admin.`,
      );
    }
  });

  it('keeps a key to its routes: exact, by pattern, by group', async () => {
    for (const route of ['/v1/chat/completions', '/chat/completions', '/v1/*', 'llm_api_routes', 'openai_routes']) {
      await ask({ known: { allowedRoutes: [route] } });
    }
    const error = await refusal({ known: { allowedRoutes: ['management_routes', '/v1/embeddings'] } });
    expect(error).toMatchObject({ status: 403, type: 'auth_error' });
    expect(error.message).toBe(
      "Virtual key is not allowed to call this route. Only allowed routes: ['management_routes', '/v1/embeddings']. Tried to call route: /v1/chat/completions",
    );
  });

  it('does not blame the key when the store is away', async () => {
    const find = () => Promise.reject(new Error('ECONNREFUSED db.internal'));
    const error = await refusal({ source: { find } });
    expect(error).toMatchObject({ status: 503, type: 'no_db_connection' });
    expect(error.message).not.toContain('db.internal');
  });
});

describe('authenticate: end user and tags', () => {
  it('takes the end user by precedence', async () => {
    const body = { user: 'u3', litellm_metadata: { user: 'u4' }, safety_identifier: 'u6' };
    expect((await ask({ endUserHeader: 'u1', user: 'u2', body })).endUserId).toBe('u1');
    expect((await ask({ user: 'u2', body })).endUserId).toBe('u2');
    expect((await ask({ body: { litellm_metadata: { user: 'u4' }, safety_identifier: 'u6' } })).endUserId).toBe('u4');
    expect((await ask({ body: { safety_identifier: 'u6' } })).endUserId).toBe('u6');
    expect((await ask()).endUserId).toBeNull();
  });

  it('refuses blocked end users, and requests without one where it is required', async () => {
    const endUser = () => ({ blocked: true, budgets: [], rateLimits: [] });
    expect(await refusal({ user: 'u', source: { endUser } })).toMatchObject({ status: 401 });
    expect(await refusal({ settings: { enforceUserParam: true } })).toMatchObject({
      status: 400,
      details: { param: 'user' },
    });
    await ask({ settings: { enforceUserParam: true }, user: 'u' });
  });

  it('adds the key’s tags to the request’s', async () => {
    expect((await ask({ known: { tags: ['k', 'both'] }, tags: ['both', 'r'] })).tags).toEqual(['k', 'both', 'r']);
  });
});
