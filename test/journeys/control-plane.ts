import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { StorePrincipals } from '../../src/adapters/principals.ts';
import { openSqliteStore } from '../../src/adapters/sql/sqlite.ts';
import type { ControlPlane } from '../../src/admin/control-plane.ts';
import { createVault } from '../../src/admin/encryption.ts';
import { HealthChecks } from '../../src/admin/health-checks.ts';
import { controlEndpoints } from '../../src/compat/litellm/endpoints.ts';
import type { CallerHeaders } from '../../src/core/exchange.ts';
import type { Principal } from '../../src/core/identity.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Chance, Clock, Log } from '../../src/core/ports.ts';
import { type Deployment, plainDeployment, type Snapshot } from '../../src/core/route.ts';
import { Secret } from '../../src/core/secret.ts';
import { metricSettingsDefault } from '../../src/core/sink-settings.ts';
import { mayUse } from '../../src/gateway/access/model-access.ts';
import { principalOf, requireUsable } from '../../src/gateway/authenticate.ts';
import { createControl } from '../../src/http/control.ts';
import { providerDirectory } from '../../src/providers/index.ts';

export const masterKey = 'sk-master-of-this-test';

/** The control plane behind a real socket, over a real store in memory. */
export async function startControlPlane(changes: Partial<ControlPlane> = {}) {
  const store = await openSqliteStore({ file: ':memory:' });
  const logged: { message: string; fields: unknown }[] = [];
  const note = (message: string, fields?: unknown) => void logged.push({ message, fields });
  const log: Log = { debug: note, info: note, warn: note, error: note };
  let skewMs = 0;
  const clock: Clock = {
    now: () => Date.now() + skewMs,
    tick: () => performance.now(),
    setTimer: (delayMs, callback) => {
      const timer = setTimeout(callback, delayMs);
      return { cancel: () => clearTimeout(timer) };
    },
  };
  const chance: Chance = {
    fraction: Math.random,
    id: randomUUID,
    token: (bytes) => randomBytes(bytes).toString('base64url'),
  };
  const deployments = [
    deployment('llama-4-scout'),
    deployment('gpt-4o-mini'),
    deployment('gpt-4o-mini', 'gpt-4o-mini-b'),
  ];
  const snapshot = snapshotOf(deployments);
  const principals = new StorePrincipals({ store, clock, snapshot: () => snapshot });
  const invalidated: ({ scope: string; id: string } | null)[] = [];
  const plane: ControlPlane = {
    store,
    ledger: { balance: () => ({ spent: 0, held: 0, resetAt: null }), flush: async () => {}, reread: async () => {} },
    principals: {
      find: (keyId) => principals.find(keyId),
      tag: (name) => principals.tag(name),
      invalidate(what) {
        invalidated.push(what);
        principals.invalidate(what);
      },
    },
    cache: { type: 'memory', get: () => undefined, set: () => {}, delete: async () => {}, clear: async () => {} },
    clock,
    chance,
    log,
    vault: createVault(new Secret('salt of this test')),
    version: '0.0.0-test',
    snapshot: () => snapshot,
    debug: { wish() {}, list: () => [] },
    mayUse: (principal, names) => mayUse(principal, names, snapshot),
    suspended: { get: () => null, reload: async () => {} },
    condition: () => ({
      coolingDownUntil: null,
      lastError: null,
      lastSuccessAt: null,
      inFlight: 0,
      requestsThisMinute: 0,
      failuresThisMinute: 0,
      msPerOutputToken: null,
      firstTokenMs: null,
    }),
    isReady: () => true,
    inFlight: () => 3,
    probeEntry: async () => ({
      healthy: false,
      asked: true,
      error: 'refused',
      status: 401,
      durationMs: 1,
      headers: {},
    }),
    healthChecks: new HealthChecks({
      clock,
      settings: () => ({ enabled: false, intervalMs: 1_000, concurrency: null }),
      deployments: () => deployments,
      probe: (one) => plane.probe(one),
    }),
    probe: async () => ({ healthy: true, asked: true, error: null, status: 200, durationMs: 1, headers: {} }),
    modelFault: () => null,
    preview: async () => ({ address: 'http://provider.example', headers: {}, body: {} }),
    reloadConfig: () => true,
    reloadModels: async () => {},
    checkSettings: () => [],
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
    countTokens: async (text) => ({ tokens: text.length, exact: false, tokenizer: 'test' }),
    settings: {
      storeModelsInDatabase: true,
      healthDetails: true,
      requestsAllowedWithoutStore: false,
      successCallbacks: [],
      metricsNeedKey: false,
      keyDefaults: null,
      keyBounds: null,
      teamDefaults: null,
      userDefaults: null,
      keyMaking: { rules: null, plainAliases: false, needsTeam: false },
    },
    dataPaths: ['/v1/chat/completions', '/openai/deployments/{model}/chat/completions'],
    freePaths: [{ method: 'GET', path: '/v1/responses/{id}' }],
    ...changes,
  };

  async function authenticate(headers: CallerHeaders): Promise<Principal> {
    const principal = await principalOf(principals, snapshot.settings, headers);
    if (principal.kind === 'virtual_key') requireUsable(principal, clock.now());
    return principal;
  }

  const endpoints = controlEndpoints(plane);
  const control = createControl({ endpoints, store, clock, chance, log, authenticate, bodyBytesMax: () => 1_000_000 });
  const server = createServer(control);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function call(
    route: string,
    options: { key?: string | null; body?: unknown; headers?: Record<string, string> } = {},
  ) {
    const [method, path] = route.split(' ') as [string, string];
    const key = options.key === undefined ? masterKey : options.key;
    const answer = await fetch(base + path, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      body:
        options.body === undefined
          ? null
          : typeof options.body === 'string'
            ? options.body
            : JSON.stringify(options.body),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, text, json: parsed(text) };
  }

  return {
    plane,
    store,
    endpoints,
    call,
    logged,
    invalidated,
    base,
    /** Lets the clock of the control plane run ahead. */
    passTime(ms: number) {
      skewMs += ms;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await store.close();
    },
  };
}

export type ControlJourney = Awaited<ReturnType<typeof startControlPlane>>;

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely by the tests
function parsed(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function deployment(group: string, id = group): Deployment {
  const provider = providerDirectory.byId('openai')!;
  const params: JsonObject = { model: `openai/${group}`, api_base: 'http://upstream.test/v1' };
  return {
    ...plainDeployment,
    id,
    group,
    provider,
    endpoint: { origin: 'http://upstream.test', path: () => '/v1', headers: [], modelsPath: null },
    model: group,
    apiBase: 'http://upstream.test/v1',
    operations: ['chat'],
    price: {
      rates: { input: 150_000_000, output: 600_000_000 },
      tiers: [],
      serviceTiers: {},
      perRequest: 0,
      perWebSearchCall: 0,
      source: 'config',
    },
    limits: { inputTokensMax: 128_000, outputTokensMax: 16_384 },
    traits: { reasoningModel: false, supportsJsonSchema: true, supportsImageUrls: true, unsupportedParams: [] },
    capabilities: { tools: true },
    modelInfo: { mode: 'chat' },
    publicParams: params,
  };
}

function snapshotOf(deployments: readonly Deployment[]): Snapshot {
  const groups = new Map<string, { name: string; deployments: Deployment[] }>();
  for (const one of deployments) {
    const group = groups.get(one.group) ?? { name: one.group, deployments: [] };
    group.deployments.push(one);
    groups.set(one.group, group);
  }
  return {
    version: 1,
    groups,
    wildcards: [],
    aliases: new Map(),
    deployments: new Map(deployments.map((one) => [one.id, one])),
    accessGroups: new Map(),
    router: {
      strategy: 'simple-shuffle',
      fallbacks: new Map([['llama-4-scout', ['gpt-4o-mini']]]),
      contextWindowFallbacks: new Map(),
      contentPolicyFallbacks: new Map(),
    } as unknown as Snapshot['router'],
    settings: {
      timezone: 'UTC',
      cache: null,
      masterKeyHash: createHash('sha256').update(masterKey).digest('hex'),
      keyHeaderName: null,
      globalBudget: null,
      endUserBudgetDefault: null,
      internalUserBudgetDefault: null,
      tagBudgets: new Map(),
      priceDiscounts: {},
      priceMargins: {},
    } as unknown as Snapshot['settings'],
    telemetry: { sinks: [], openTelemetry: null, metrics: metricSettingsDefault },
    secrets: [],
  };
}
