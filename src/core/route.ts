import type { AnswerPlace } from './answer-place.ts';
import type { ModelTraits } from './dialect.ts';
import type { JsonObject } from './json.ts';
import type { BudgetRule, RateLimitRule } from './limits.ts';
import type { Operation } from './operation.ts';
import type { MediaLimits } from './ports.ts';
import type { Price } from './price.ts';
import type { Provider, ProviderEndpoint } from './provider.ts';
import type { Secret } from './secret.ts';
import type { TelemetrySettings } from './sink-settings.ts';

/** One address of one model: what a request is sent to. Frozen; built once per configuration. */
export interface Deployment {
  /** Stable over restarts: given by the operator, or a hash of group and parameters. */
  readonly id: string;
  /** Public model name; several deployments of one name are a model group. */
  readonly group: string;
  readonly provider: Provider;
  readonly endpoint: ProviderEndpoint;
  /** Upstream model name; may hold `*`, filled from what a wildcard matched. */
  readonly model: string;
  /** Address for people and records: no credentials, no query. */
  readonly apiBase: string;
  readonly operations: readonly Operation[];
  /** null when nobody knows the price: refused under a hard budget. */
  readonly price: Price | null;
  readonly limits: DeploymentLimits;
  readonly timeouts: Partial<Timeouts>;
  readonly weight: number | null;
  readonly order: number | null;
  readonly tags: readonly string[];
  /** Over `User-Agent: …`: who calls so meets these as a request with one of the tags does. */
  readonly tagPatterns: readonly TextPattern[];
  readonly retries: number | null;
  /** Milliseconds; null = the router's; 0 = never cools down. */
  readonly cooldownMs: number | null;
  readonly rpm: number | null;
  readonly tpm: number | null;
  /** Input and output tokens a minute. */
  readonly itpm: number | null;
  readonly otpm: number | null;
  readonly parallelMax: number | null;
  /** Limits of each virtual key on this model, unless the key has one of its own; null = none. */
  readonly keyLimits: { readonly rpm: number | null; readonly tpm: number | null } | null;
  /** Deployment defaults for request parameters, in the provider's own names. */
  readonly defaults: JsonObject;
  readonly extraBody: JsonObject;
  readonly dropParams: boolean;
  readonly additionalDropParams: readonly string[];
  readonly allowedParams: readonly string[];
  readonly traits: ModelTraits;
  readonly capabilities: Capabilities;
  /** Connection fields a caller may set for this deployment (`api_key`, `api_base`), with an optional pattern. */
  readonly callerMaySet: readonly { readonly field: string; readonly pattern: TextPattern | null }[];
  readonly accessGroups: readonly string[];
  readonly budgets: readonly BudgetRule[];
  readonly teamId: string | null;
  readonly blocked: boolean;
  /** `model_info` as the admin API shows it: operator's keys over the catalogue's. */
  readonly modelInfo: JsonObject;
  /** `litellm_params` as the admin API shows them, without secrets. */
  readonly publicParams: JsonObject;
  readonly fromDatabase: boolean;
  /** Answers without calling anybody (`mock_response`), for tests and drills. */
  readonly mockResponse: string | null;
  /** Its address and credential serve pass-through paths of its provider, before all that do not say so. */
  readonly passesThrough: boolean;
  /** Reasoning is told as a part of the content, to callers that ask in OpenAI's chat. */
  readonly mergesReasoning: boolean;
  /** Groups that are asked the same without anybody waiting for them (`silent_model`). */
  readonly silentModels: readonly string[];
  /** Where prompts get marks for the provider's cache when their callers set none. */
  readonly cacheMarks: readonly CacheMarkPoint[];
  /** Set when the deployment cannot be used (missing credential …): why, for health and errors. */
  readonly unusable: string | null;
}

/** Messages of a role, or one message (from the end where negative). */
export interface CacheMarkPoint {
  readonly role: string | null;
  readonly index: number | null;
  /** null = as is usual. */
  readonly control: JsonObject | null;
}

/** A deployment of which the operator said no more than where it is and what it answers. */
export const plainDeployment = Object.freeze({
  limits: { inputTokensMax: null, outputTokensMax: null },
  timeouts: {},
  weight: null,
  order: null,
  tags: [],
  tagPatterns: [],
  retries: null,
  cooldownMs: null,
  rpm: null,
  tpm: null,
  itpm: null,
  otpm: null,
  parallelMax: null,
  keyLimits: null,
  defaults: {},
  extraBody: {},
  dropParams: false,
  additionalDropParams: [],
  allowedParams: [],
  capabilities: {},
  callerMaySet: [],
  accessGroups: [],
  budgets: [],
  teamId: null,
  blocked: false,
  modelInfo: {},
  publicParams: {},
  fromDatabase: false,
  mockResponse: null,
  passesThrough: false,
  mergesReasoning: false,
  silentModels: [],
  cacheMarks: [],
  unusable: null,
}) satisfies Partial<Deployment>;

/** A pattern that an operator wrote. */
export interface TextPattern {
  readonly source: string;
  isIn(text: string): boolean;
}

export interface DeploymentLimits {
  readonly inputTokensMax: number | null;
  readonly outputTokensMax: number | null;
}

/** undefined = not known: such a model is assumed able. */
export interface Capabilities {
  readonly tools?: boolean;
  readonly vision?: boolean;
  readonly audio?: boolean;
  readonly files?: boolean;
  readonly reasoning?: boolean;
  readonly jsonSchema?: boolean;
}

export interface Timeouts {
  readonly connectMs: number;
  /** To the first byte of the answer's body (streams) or the headers (whole answers). */
  readonly firstByteMs: number;
  /** Between meaningful stream events; comments do not count. */
  readonly idleMs: number;
  /** Over one try; what a caller, a deployment or the router calls `timeout`. `totalMs` when absent. */
  readonly attemptMs?: number;
  /** Over everything, retries and fallbacks included. */
  readonly totalMs: number;
  /** One try of a stream, up to its first content, where the operator set it apart (`stream_timeout`). */
  readonly streamTotalMs?: number;
}

export type RoutingStrategy =
  | 'simple-shuffle'
  | 'least-busy'
  | 'usage-based-routing'
  | 'usage-based-routing-v2'
  | 'latency-based-routing'
  | 'cost-based-routing';

export interface ModelGroup {
  readonly name: string;
  readonly deployments: readonly Deployment[];
}

/** A group whose name holds `*`. */
export interface WildcardGroup extends ModelGroup {
  /** The literal pieces between the stars, in order. */
  readonly pieces: readonly string[];
  /**
   * The group as it is for one model name: stars filled, price and limits of the real model looked up, same deployment
   * ids. null when the name does not match. Remembered, so that a name costs the look-up once.
   */
  expand(model: string): ModelGroup | null;
}

export type FallbackMap = ReadonlyMap<string, readonly string[]>;

export type ErrorClass =
  | 'BadRequest'
  | 'Authentication'
  | 'Timeout'
  | 'RateLimit'
  | 'ContentPolicyViolation'
  | 'InternalServer';

export interface StrategyChoice {
  readonly strategy: RoutingStrategy;
  readonly latencyBuffer: number;
}

export interface CheckedRouting {
  /** Older checks say nothing. */
  readonly freshMs: number;
  /** A check that was answered with 408 or 429 says nothing. */
  readonly ignoresTransient: boolean;
}

/** What keeps requests at one deployment: a cached prompt, a session, a key. */
export type Affinity = 'prompt' | 'session' | 'key';

export interface RouterSettings {
  readonly strategy: RoutingStrategy;
  /** Fraction above the best latency within which deployments count as equal. */
  readonly latencyBuffer: number;
  readonly latencySamplesMax: number;
  /** Other strategies, by model group. */
  readonly groupStrategies?: ReadonlyMap<string, StrategyChoice>;
  /** What holds requests together; by model group where the operator says so. */
  readonly affinities?: readonly Affinity[];
  readonly groupAffinities?: ReadonlyMap<string, readonly Affinity[]>;
  /** `rpm`, `tpm`, `itpm` and `otpm` of deployments hold with every strategy. */
  readonly enforcesRates?: boolean;
  /** Leaves out deployments whose last check failed; null = checks do not count. */
  readonly checkedRouting?: CheckedRouting | null;
  readonly fallbacks: FallbackMap;
  readonly contextWindowFallbacks: FallbackMap;
  readonly contentPolicyFallbacks: FallbackMap;
  readonly defaultFallbacks: readonly string[];
  readonly fallbacksMax: number;
  readonly retries: number;
  readonly retryAfterMinMs: number;
  /** Of requests that say none; null = they do not wait for a deployment that rests. */
  readonly defaultPriority?: number | null;
  readonly pollingMs?: number;
  readonly retryPolicy: Readonly<Partial<Record<ErrorClass, number>>>;
  readonly groupRetryPolicy: Readonly<Record<string, Readonly<Partial<Record<ErrorClass, number>>>>>;
  /** null = not set by the operator: the default rules apply. */
  readonly allowedFails: number | null;
  readonly allowedFailsPolicy: Readonly<Partial<Record<ErrorClass, number>>>;
  readonly cooldownMs: number;
  readonly cooldownsDisabled: boolean;
  readonly preCallChecks: boolean;
  readonly tagFiltering: boolean;
  readonly tagsMatchAny: boolean;
  /** Whether a stream that broke after its first content goes on with another provider's words. */
  readonly continuesStreams: boolean;
  readonly parallelMaxDefault: number | null;
  /** Share of extra attempts over requests that retries may add (0.2 = 20 %) once `retryBudgetMinPerSecond` is used. */
  readonly retryBudgetRatio: number;
  readonly retryBudgetMinPerSecond: number;
}

export interface GatewaySettings {
  readonly masterKeyHash: string | null;
  readonly keyHeaderName: string | null;
  readonly bodyBytesMax: number;
  readonly timeouts: Timeouts;
  /** Seconds between heartbeats on a silent stream. */
  readonly heartbeatMs: number;
  readonly drainMs: number;
  /** How long requests are taken while readiness already says no; null = by how often readiness is asked. */
  readonly drainDelayMs: number | null;
  readonly dropParams: boolean;
  readonly modifyParams: boolean;
  /** A whole answer that does not fit the schema it was asked for is an error. */
  readonly schemasChecked?: boolean;
  readonly alwaysIncludeStreamUsage: boolean;
  /** The usage at the end of a stream tells its cost. */
  readonly costInStreams?: boolean;
  /** What of the caller's headers goes on to providers; null = nothing beyond what every provider needs. */
  readonly passedHeaders?: PassedHeaders | null;
  /** Longest whole answer of a provider. */
  readonly answerBytesMax?: number;
  /** Limits of the gateway as a whole. */
  readonly globalRates?: readonly RateLimitRule[];
  /** Requests in flight of keys that name no limit of their own. */
  readonly keyParallelMax?: number | null;
  /** Body fields that requests of service accounts must have. */
  readonly serviceAccountParams?: readonly string[];
  /** Sinks of teams that name none of their own, as their metadata would say it. */
  readonly teamLogging?: Readonly<Record<string, JsonObject[]>>;
  /** Share of a model's rates by the priority of keys; null = all are alike. */
  readonly priorityShares?: ReadonlyMap<string, number> | null;
  /** Paths that virtual keys may call at all, and those that they may not; null = no such rule. */
  readonly routeRules?: RouteRules | null;
  readonly enforceUserParam: boolean;
  readonly callerCredentialsAllowed: boolean;
  readonly storePromptsAndAnswers: boolean;
  /** Some sink takes what is asked and answered. */
  readonly contentForSinks: boolean;
  readonly budgetErrorStatus: number;
  /** Share of its rates that is left to a key which wants to be slowed, not stopped, beyond its budget; null = none is. */
  readonly throttledShare?: number | null;
  /** Show the list of allowed models in a model-denied message. */
  readonly showAllowedModels: boolean;
  /** What is done when a bound does not fit: refuse, or lower `max_tokens` and say so in a header. */
  readonly clampOutputTokens: boolean;
  /** Requests that need money from a store that does not answer: refused, or admitted by the last known figures. */
  readonly budgetStoreDown: 'closed' | 'spool';
  /** Rate limits while the configured Redis does not answer: a share each, none, or nobody who has one gets in. */
  readonly limitsWithoutRedis: 'share' | 'open' | 'closed';
  /** A request whose end nobody saw because the gateway died costs its bound, or nothing. */
  readonly unknownOutcome: 'charge_bound' | 'charge_nothing';
  /** By provider id, where the operator says what a caller pays who hangs up: what was seen, or what was held. */
  readonly hangupCharges: Readonly<Record<string, 'seen' | 'hold'>>;
  readonly idempotency: IdempotencySettings;
  readonly keptAnswers: KeptAnswerSettings;
  /** Do batches go to the provider's own batch API, where it has one? */
  readonly providerBatches: boolean;
  readonly cache: CacheSettings | null;
  /** Media that callers name by address, for providers that take bytes only; null = never fetched. */
  readonly mediaFetch: MediaLimits | null;
  readonly timezone: string;
  /** Models of requests that name none, by operation. */
  readonly defaultModels: Readonly<Partial<Record<Operation, string>>>;
  /** Which tokens count against the limits of keys, teams and users. */
  readonly tokensLimited: 'total' | 'input' | 'output';
  readonly globalBudget: BudgetRule | null;
  readonly endUserBudgetDefault: BudgetRule | null;
  /** Stored budget of end users that name none. */
  readonly endUserBudgetId: string | null;
  readonly internalUserBudgetDefault: BudgetRule | null;
  readonly tagBudgets: ReadonlyMap<string, readonly BudgetRule[]>;
  /** Request headers that name the end user, lower-case, the first that is there decides. */
  readonly endUserHeaders: readonly string[];
  /** Time between two questions about a batch at its provider; null = ever less often. */
  readonly batchLooksMs: number | null;
  /** Whoever knows the id of an answer or a conversation may go on from it. */
  readonly answersAreEverybodys: boolean;
  /** Headers that name the internal user a request is made for, lower-case. */
  readonly userHeaders: readonly string[];
  /** Request headers that become tags, `name: value`, lower-case. */
  readonly tagHeaders: readonly string[];
  /** Body fields that requests of virtual keys must have; `metadata.x` looks inside. */
  readonly enforcedParams: readonly string[];
  /** Callers may not tag their requests. */
  readonly callerTagsRejected: boolean;
  /** Who may call at all; null = everybody. */
  readonly addressAllowed: ((address: string) => boolean) | null;
  /** End users are neither counted nor recorded. */
  readonly endUsersIgnored?: boolean;
  /** Rows of requests hold no text of errors. */
  readonly errorTextsKept?: boolean;
  /** The caller's address is the first in `x-forwarded-for`. */
  readonly trustsForwardedFor: boolean;
  /** Fraction taken off, by provider id. */
  readonly priceDiscounts: Readonly<Record<string, number>>;
  /** Added after the discount, by provider id or `global`: a fraction, and whole nano-dollars a request. */
  readonly priceMargins: Readonly<Record<string, { readonly ratio: number; readonly fixed: number }>>;
}

export interface PassedHeaders {
  /** The caller's `x-` headers: for every model, or for these. */
  readonly own: boolean | ReadonlySet<string>;
  /** `openai-organization`. */
  readonly organization: boolean;
  /** A provider's key that the caller brings, where its own key stands in another header. */
  readonly credentials: boolean;
}

export interface RouteRules {
  /** Empty = all. */
  readonly allowed: readonly string[];
  readonly adminOnly: readonly string[];
}

export interface IdempotencySettings {
  readonly ttlMs: number;
  /** Longer answers are not kept. */
  readonly answerBytesMax: number;
}

/** Answers and conversations that the gateway keeps for callers. */
export interface KeptAnswerSettings {
  readonly isOn: boolean;
  readonly keptMs: number;
}

export interface CacheSettings {
  readonly ttlMs: number;
  readonly namespace: string;
  /** `off` = only requests that ask with `use-cache`. */
  readonly byDefault: boolean;
  readonly operations: readonly Operation[];
  readonly bytesMax: number;
  /** Where they are kept, if neither in memory nor in Redis. Read at the start. */
  readonly place?: AnswerPlace;
  /** Model group → the groups that share its answers, as one name. */
  readonly sharedGroups?: ReadonlyMap<string, string>;
  /** Who shares entries: one key, one team (its keys), or everybody. */
  readonly scope: 'key' | 'team' | 'global';
}

export type ComplexityTier = 'SIMPLE' | 'MEDIUM' | 'COMPLEX' | 'REASONING';

/** What a text is measured by. */
export type ComplexityMeasure =
  | 'tokenCount'
  | 'codePresence'
  | 'reasoningMarkers'
  | 'technicalTerms'
  | 'simpleIndicators'
  | 'multiStepPatterns'
  | 'questionComplexity';

/** A name that stands for several groups: how hard a request looks says which. */
export interface ComplexityRoute {
  /** Several groups of one tier share its requests. */
  readonly tiers: Readonly<Partial<Record<ComplexityTier, readonly string[]>>>;
  /** The group of what cannot be measured, or whose tier has none. */
  readonly otherwise: string;
  readonly boundaries: {
    readonly simpleMedium: number;
    readonly mediumComplex: number;
    readonly complexReasoning: number;
  };
  /** Estimated tokens below which a text is short, above which it is long. */
  readonly tokens: { readonly simple: number; readonly complex: number };
  readonly weights: Readonly<Record<ComplexityMeasure, number>>;
  /** Each finds its words as its first group; null = none. */
  readonly words: Readonly<Record<'code' | 'reasoning' | 'technical' | 'simple', RegExp | null>>;
  /** Words that decide alone; of several, the hardest tier. */
  readonly rules: readonly { readonly words: RegExp | null; readonly tier: ComplexityTier }[];
}

/** A path that the operator opens to an address of their choice. */
export interface PassThroughTarget {
  readonly path: string;
  readonly includesSubpaths: boolean;
  /** The caller's headers go on, but for credentials. */
  readonly forwardsHeaders: boolean;
  /** null = all. */
  readonly methods: readonly string[] | null;
  /** Parameters where the caller gives none of the same name. */
  readonly query: string;
  readonly deployment: Deployment;
}

/** Everything the data path knows, frozen and swapped in one step. */
export interface Snapshot {
  /** Counts up with every swap. */
  readonly version: number;
  readonly groups: ReadonlyMap<string, ModelGroup>;
  /** By team: names of its own for deployments of its own (`team_public_model_name`); absent when there are none. */
  readonly teamGroups?: ReadonlyMap<string, ReadonlyMap<string, ModelGroup>>;
  /** Most specific first. */
  readonly wildcards: readonly WildcardGroup[];
  /** Alias → group. */
  readonly aliases: ReadonlyMap<string, { readonly group: string; readonly hidden: boolean }>;
  readonly deployments: ReadonlyMap<string, Deployment>;
  /** By name; absent when there are none. */
  readonly complexityRoutes?: ReadonlyMap<string, ComplexityRoute>;
  /** Access-group name → public model names. */
  readonly accessGroups: ReadonlyMap<string, readonly string[]>;
  /** Longest path first. */
  readonly passThroughs?: readonly PassThroughTarget[];
  /** What is publicly known of a provider's model that no deployment has; price null where nothing is. */
  readonly publicFacts?: (provider: Provider, model: string) => Pick<Deployment, 'price' | 'limits'>;
  readonly router: RouterSettings;
  readonly settings: GatewaySettings;
  /** Where finished requests are told to. */
  readonly telemetry: TelemetrySettings;
  /** Provider credentials now loaded, for the scrubber of logs and errors. */
  readonly secrets: readonly Secret[];
}
