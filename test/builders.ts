import { createMemoryLimiter } from '../src/adapters/memory/limiter.ts';
import type { CapabilityNeeds, Dialect, RequestFacts } from '../src/core/dialect.ts';
import {
  asIdentified,
  asPlanned,
  asReceived,
  type Identified,
  type Planned,
  type RequestOptions,
} from '../src/core/exchange.ts';
import { barePrincipal, type Principal } from '../src/core/identity.ts';
import type { JsonObject } from '../src/core/json.ts';
import type { BudgetRule, RateLimitRule } from '../src/core/limits.ts';
import type { Operation } from '../src/core/operation.ts';
import type { Chance, Clock, Ledger, Log, Outside, PrincipalSource, Transport } from '../src/core/ports.ts';
import { OutsideError } from '../src/core/ports.ts';
import type { Price } from '../src/core/price.ts';
import type { Provider } from '../src/core/provider.ts';
import {
  type Deployment,
  type GatewaySettings,
  type ModelGroup,
  plainDeployment,
  type RouterSettings,
  type Snapshot,
  type WildcardGroup,
} from '../src/core/route.ts';
import { metricSettingsDefault } from '../src/core/sink-settings.ts';
import { wildcardMatches } from '../src/core/wildcard.ts';
import { batchDesks } from '../src/dialects/batch-desks/index.ts';
import type { Gateway } from '../src/gateway/gateway.ts';
import { AnswerIds } from '../src/gateway/kept/answer-ids.ts';
import { BackgroundWork } from '../src/gateway/kept/background.ts';
import { createHealth } from '../src/gateway/routing/health.ts';
import { ClientSecrets } from '../src/gateway/session/client-secrets.ts';

/* Whole values of the domain with sensible defaults, so that a test names only what it is about. */

/** A clock that stands still until told. */
export class TestClock implements Clock {
  time = Date.UTC(2026, 0, 15, 12, 0, 0);
  now(): number {
    return this.time;
  }
  tick(): number {
    return this.time - Date.UTC(2026, 0, 1);
  }
  setTimer(): { cancel(): void } {
    return { cancel() {} };
  }
  advance(ms: number): void {
    this.time += ms;
  }
}

/** Repeatable chance (mulberry32). */
export function seededChance(seed = 1): Chance {
  let state = seed >>> 0;
  let ids = 0;
  const fraction = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { fraction, id: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`, token: () => 'token' };
}

export const testProvider: Provider = {
  id: 'acme',
  aliases: [],
  name: 'Acme',
  documentation: 'https://docs.acme.example/api',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
  catalogueIds: [],
  credentialVariable: null,
  otherCredentialVariables: [],
  environmentVariables: [],
  baseUrlVariable: null,
  defaultBaseUrl: null,
  authorizesItself: () => false,
  requiresCredential: false,
  usageInStream: 'stream_options',
  stopsOnHangup: true,
  ownsModel: () => false,
  traits: () => traits,
  endpoint: () => endpoint,
};

const traits = { reasoningModel: false, supportsJsonSchema: true, supportsImageUrls: true, unsupportedParams: [] };
const endpoint = {
  origin: 'http://127.0.0.1:9',
  path: () => '/v1/chat/completions',
  headers: [],
  modelsPath: null,
};

/** Dollars per million tokens, as price lists have them. */
export function price(input: number, output: number, more: Partial<Price['rates']> = {}): Price {
  return {
    rates: { input: input * 1e9, output: output * 1e9, ...more },
    tiers: [],
    serviceTiers: {},
    perRequest: 0,
    perWebSearchCall: 0,
    source: 'config',
  };
}

let deployments = 0;

export function deployment(more: Partial<Deployment> = {}): Deployment {
  return {
    ...plainDeployment,
    id: `deployment-${++deployments}`,
    group: 'm',
    provider: testProvider,
    endpoint,
    model: 'upstream-model',
    apiBase: 'http://127.0.0.1:9/v1',
    operations: ['chat', 'embedding'],
    price: price(1, 2),
    limits: { inputTokensMax: 100_000, outputTokensMax: 4_000 },
    traits,
    ...more,
  };
}

export function router(more: Partial<RouterSettings> = {}): RouterSettings {
  return {
    strategy: 'simple-shuffle',
    latencyBuffer: 0,
    latencySamplesMax: 10,
    fallbacks: new Map(),
    contextWindowFallbacks: new Map(),
    contentPolicyFallbacks: new Map(),
    defaultFallbacks: [],
    fallbacksMax: 5,
    retries: 2,
    retryAfterMinMs: 0,
    retryPolicy: {},
    groupRetryPolicy: {},
    allowedFails: null,
    allowedFailsPolicy: {},
    cooldownMs: 5_000,
    cooldownsDisabled: false,
    preCallChecks: false,
    tagFiltering: false,
    tagsMatchAny: true,
    parallelMaxDefault: null,
    continuesStreams: false,
    retryBudgetRatio: 0.2,
    retryBudgetMinPerSecond: 10,
    ...more,
  };
}

export function settings(more: Partial<GatewaySettings> = {}): GatewaySettings {
  return {
    masterKeyHash: null,
    keyHeaderName: null,
    bodyBytesMax: 1_000_000,
    timeouts: { connectMs: 1_000, firstByteMs: 10_000, idleMs: 10_000, totalMs: 60_000 },
    heartbeatMs: 15_000,
    drainMs: 1_000,
    drainDelayMs: null,
    dropParams: false,
    modifyParams: false,
    alwaysIncludeStreamUsage: false,
    enforceUserParam: false,
    callerCredentialsAllowed: false,
    storePromptsAndAnswers: false,
    contentForSinks: false,
    budgetErrorStatus: 429,
    showAllowedModels: true,
    clampOutputTokens: false,
    budgetStoreDown: 'closed',
    unknownOutcome: 'charge_bound',
    limitsWithoutRedis: 'share',
    hangupCharges: {},
    idempotency: { ttlMs: 86_400_000, answerBytesMax: 1_048_576 },
    cache: null,
    mediaFetch: null,
    timezone: 'UTC',
    globalBudget: null,
    endUserBudgetDefault: null,
    internalUserBudgetDefault: null,
    tagBudgets: new Map(),
    endUserHeaders: [],
    batchLooksMs: null,
    answersAreEverybodys: false,
    userHeaders: [],
    tagHeaders: [],
    defaultModels: {},
    enforcedParams: [],
    callerTagsRejected: false,
    addressAllowed: null,
    trustsForwardedFor: false,
    priceDiscounts: {},
    priceMargins: {},
    ...more,
  } as GatewaySettings;
}

export interface SnapshotParts {
  readonly deployments?: readonly Deployment[];
  readonly aliases?: Readonly<Record<string, string>>;
  readonly accessGroups?: Readonly<Record<string, readonly string[]>>;
  readonly router?: Partial<RouterSettings>;
  readonly settings?: Partial<GatewaySettings>;
}

export function snapshot(parts: SnapshotParts = {}): Snapshot {
  const all = parts.deployments ?? [deployment()];
  const groups = new Map<string, ModelGroup>();
  const wildcards: WildcardGroup[] = [];
  for (const name of new Set(all.map(({ group }) => group))) {
    const members = all.filter(({ group }) => group === name);
    if (!name.includes('*')) groups.set(name, { name, deployments: members });
    else {
      const pieces = name.split('*');
      wildcards.push({
        name,
        deployments: members,
        pieces,
        expand: (model) => (wildcardMatches(pieces, model) === null ? null : { name: model, deployments: members }),
      });
    }
  }
  return {
    version: 1,
    groups,
    wildcards: wildcards.sort((a, b) => b.name.length - a.name.length),
    aliases: new Map(Object.entries(parts.aliases ?? {}).map(([alias, group]) => [alias, { group, hidden: false }])),
    deployments: new Map(all.map((one) => [one.id, one])),
    accessGroups: new Map(Object.entries(parts.accessGroups ?? {})),
    router: router(parts.router),
    settings: settings(parts.settings),
    telemetry: { sinks: [], openTelemetry: null, metrics: metricSettingsDefault },
    secrets: [],
  };
}

export function principal(more: Partial<Principal> = {}): Principal {
  const key = { keyId: 'key-hash', keyAlias: 'alias', keyName: 'sk-...abcd', role: 'internal_user' } as const;
  return { ...barePrincipal, ...key, ...more };
}

export function budget(more: Partial<BudgetRule> = {}): BudgetRule {
  return {
    scope: 'key',
    id: 'key-hash',
    model: null,
    cap: null,
    softCap: null,
    duration: null,
    timezone: 'UTC',
    increase: null,
    label: 'alias',
    ...more,
  };
}

export function rateLimit(more: Partial<RateLimitRule> = {}): RateLimitRule {
  return {
    scope: 'key',
    id: 'key-hash',
    model: null,
    metric: 'requests',
    limit: 10,
    tokens: 'total',
    label: 'alias',
    ...more,
  };
}

const needs: CapabilityNeeds = {
  tools: false,
  vision: false,
  audio: false,
  files: false,
  reasoning: false,
  jsonSchema: false,
};

export function facts(
  more: Partial<Omit<RequestFacts, 'needs'>> & { needs?: Partial<CapabilityNeeds> } = {},
): RequestFacts {
  return {
    model: 'm',
    stream: false,
    maxOutputTokens: undefined,
    choices: 1,
    endUser: undefined,
    usageInStream: false,
    inputUnbounded: false,
    webSearchCallsMax: 0,
    ...more,
    needs: { ...needs, ...more.needs },
  };
}

export const options: RequestOptions = {
  callId: null,
  tags: [],
  metadata: {},
  sessionId: null,
  traceId: null,
  fallbacks: null,
  fallbacksDisabled: false,
  retries: null,
  timeoutMs: null,
  streamTimeoutMs: null,
  cache: { noCache: false, noStore: false, useCache: false, ttlMs: null, ageMaxMs: null, namespace: null },
  mockResponse: null,
  mockFailure: null,
  noLog: false,
  redactsContent: false,
  mergesReasoning: null,
  sinksLeftOut: [],
  dropParams: null,
  allowedParams: [],
  endUser: null,
  connection: {},
};

export interface ExchangeParts {
  readonly id?: string;
  readonly snapshot?: Snapshot;
  readonly principal?: Principal;
  readonly body?: JsonObject;
  readonly facts?: Parameters<typeof facts>[0];
  readonly options?: Partial<RequestOptions>;
  readonly endUserId?: string | null;
  readonly tags?: readonly string[];
  readonly operation?: Operation;
}

export function identified(parts: ExchangeParts = {}): Identified {
  const body = parts.body ?? { model: 'm', messages: [{ role: 'user', content: 'Hello' }] };
  const received = asReceived({
    id: parts.id ?? 'request-1',
    operation: parts.operation ?? 'chat',
    dialect: { name: 'openai-chat' } as Dialect,
    path: '/v1/chat/completions',
    address: { model: undefined, stream: undefined, query: '' },
    upload: null,
    funds: null,
    passThrough: null,
    bytes: Buffer.from(JSON.stringify(body)),
    body,
    facts: facts(parts.facts),
    options: { ...options, ...parts.options },
    headers: {},
    clientAddress: null,
    client: { gone: false, onGone() {} },
    snapshot: parts.snapshot ?? snapshot(),
    receivedAt: 0,
    receivedTick: 0,
    arrivedTick: 0,
    trace: null,
  });
  return asIdentified(received, received.snapshot, {
    principal: parts.principal ?? principal(),
    endUserId: parts.endUserId ?? null,
    recall: null,
    tags: parts.tags ?? [],
    identifiedTick: 0,
  });
}

export function planned(parts: ExchangeParts & { readonly reachable?: readonly Deployment[] } = {}): Planned {
  const exchange = identified(parts);
  const reachable = parts.reachable ?? [...exchange.snapshot.deployments.values()];
  return asPlanned(exchange, {
    model: 'm',
    route: {
      primary: { name: 'm', wildcardMatches: null, candidates: reachable },
      fallbacks: [],
      contextWindowFallbacks: [],
      contentPolicyFallbacks: [],
      reachable,
    },
    plannedTick: 0,
  });
}

/** Budgets in memory, without store and journal: holds and spends exactly, one account per rule. */
export function simpleLedger(): Ledger & { readonly rows: Parameters<Ledger['record']>[0][] } {
  const accounts = new Map<string, { spent: number; held: number }>();
  const held = new Map<string, readonly BudgetRule[]>();
  const rows: Parameters<Ledger['record']>[0][] = [];
  const accountOf = ({ scope, id, model }: BudgetRule) => {
    const key = JSON.stringify([scope, id, model]);
    let account = accounts.get(key);
    if (account === undefined) {
      account = { spent: 0, held: 0 };
      accounts.set(key, account);
    }
    return account;
  };
  return {
    rows,
    reserve(requestId, rules, bound) {
      for (const rule of rules) {
        const { spent, held: onHold } = accountOf(rule);
        if (rule.cap !== null && spent + onHold + bound > rule.cap) {
          return { rule, cap: rule.cap, spent, held: onHold, bound, resetAt: null };
        }
      }
      for (const rule of rules) accountOf(rule).held += bound;
      held.set(requestId, rules);
      return { requestId, bound };
    },
    extend: () => true,
    attach: (_reservation, _rules, amount) => ({ bound: amount }),
    detach: () => undefined,
    dispatched: () => undefined,
    settle(reservation, record) {
      const rules = held.get(reservation.requestId);
      if (rules === undefined) return;
      held.delete(reservation.requestId);
      rows.push(record);
      for (const rule of rules) {
        const account = accountOf(rule);
        account.held -= reservation.bound;
        account.spent += record.cost;
      }
    },
    record(record) {
      rows.push(record);
    },
    balance: (rule) => ({ ...accountOf(rule), resetAt: null }),
    reread: async () => {},
    flush: async () => {},
    close: async () => {},
  };
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

export function principalSource(more: Partial<PrincipalSource> = {}): PrincipalSource {
  return {
    find: () => undefined,
    endUser: () => ({ blocked: false, budgets: [], rateLimits: [] }),
    tag: () => ({ budgets: [], rateLimits: [] }),
    invalidate() {},
    ...more,
  };
}

/** An outside that nobody may reach for. */
const nowhere: Outside = {
  now: () => 0,
  send: () => Promise.reject(new OutsideError('this test reaches nobody')),
  readFile: () => Promise.reject(new OutsideError('this test reads no file')),
};

export function gateway(more: Partial<Gateway> = {}): Gateway {
  const clock = more.clock ?? new TestClock();
  const transport: Transport = {
    send() {
      throw new Error('this test sends nothing');
    },
    close: async () => {},
  };
  return {
    clock,
    chance: seededChance(),
    transport,
    sockets: { connect: () => Promise.reject(new Error('no sockets here')) },
    outside: nowhere,
    ledger: simpleLedger(),
    limiter: createMemoryLimiter(clock),
    cache: { get: () => undefined, set() {}, delete: async () => {}, clear: async () => {}, type: 'none' },
    principals: principalSource(),
    idempotency: null,
    tokens: { count: async (text) => ({ tokens: Math.ceil(text.length / 4) }) },
    kept: null,
    clientSecrets: new ClientSecrets(Buffer.alloc(32, 7)),
    answerIds: new AnswerIds(Buffer.from('a key for tests')),
    background: new BackgroundWork(),
    batches: null,
    batchDesks,
    dialects: new Map(),
    health: createHealth(clock),
    suspended: new Set(),
    sinks: [],
    tracing: { begin: () => null },
    media: { bring: () => Promise.reject(new Error('this test fetches nothing')) },
    log: silentLog,
    describeReply: () => undefined,
    ownRouting: (same) => same,
    snapshot: () => snapshot(),
    ...more,
  };
}

/** Header lines as they go on the wire, by name. */
export function headersIn(lines: Buffer): Record<string, string> {
  const pairs = lines
    .toString('latin1')
    .split('\r\n')
    .filter((line) => line !== '');
  return Object.fromEntries(pairs.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
}
