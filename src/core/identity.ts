import type { JsonObject } from './json.ts';
import type { BudgetRule, RateLimitRule } from './limits.ts';

/** Who a request belongs to, from the key up. */
export const scopes = [
  'key',
  'user',
  'team',
  'team_member',
  'project',
  'organization',
  'end_user',
  'tag',
  'model',
  'provider',
  'deployment',
  'global',
] as const;
export type Scope = (typeof scopes)[number];

/** One allow-list on the chain; every list that exists must allow the model. Entries may hold `*`. */
export interface ModelAccessRule {
  readonly scope: 'key' | 'team' | 'team_member' | 'user' | 'project' | 'organization';
  readonly id: string;
  /** Model names, patterns and access-group names; empty means all. */
  readonly models: readonly string[];
}

/**
 * A key resolved to everything the data path must know about it: compiled once when the key enters the cache, so that
 * a request only walks ready-made lists. Frozen; a change of any part makes a new one.
 */
export interface Principal {
  readonly kind: 'master' | 'virtual_key' | 'anonymous';
  /** SHA-256 of the key, hex; the public identity of a key everywhere. */
  readonly keyId: string;
  readonly keyAlias: string | null;
  readonly keyName: string | null;
  readonly userId: string | null;
  readonly userEmail: string | null;
  readonly teamId: string | null;
  readonly teamAlias: string | null;
  readonly organizationId: string | null;
  readonly role: Role;
  readonly modelAccess: readonly ModelAccessRule[];
  /** Alias → model, applied before routing. */
  readonly modelAliases: Readonly<Record<string, string>>;
  /** Exact paths, `prefix/*`, or group names; empty means every data route. */
  readonly allowedRoutes: readonly string[];
  readonly budgets: readonly BudgetRule[];
  readonly rateLimits: readonly RateLimitRule[];
  /** Further limits of requests that have a tag. */
  readonly tagLimits?: ReadonlyMap<string, readonly RateLimitRule[]> | null;
  /** Models to use in the place of one whose own budget of the key is spent, in order. */
  /** Beyond its own budget it is slowed, where the gateway says how much, and not stopped. */
  readonly throttledOverBudget?: boolean;
  readonly budgetFallbacks?: Readonly<Record<string, readonly string[]>> | null;
  /** `router_settings` of the key over those of its team, as written. */
  readonly routerSettings?: JsonObject | null;
  /** Default tags added to every request of this key. */
  readonly tags: readonly string[];
  readonly metadata: JsonObject;
  /** Body fields that every request of this key must have. */
  readonly enforcedParams?: readonly string[];
  /** Cache controls a caller may use; empty means all. */
  readonly allowedCacheControls: readonly string[];
  /** Unix milliseconds, null = never. */
  readonly expiresAt: number | null;
  /** Set when the key, its user, team, project or organization is blocked: the name of what is blocked. */
  readonly blocked: 'key' | 'team' | 'user' | 'project' | 'organization' | null;
  /** Budgets and limits that every end user gets who has none of their own. */
  readonly endUserDefaults: readonly BudgetRule[];
  /** What its key or team says of sinks; null = nothing. */
  readonly sinkRules: SinkRules | null;
}

/** Nobody in particular, with no limit of its own: what every other principal is told apart from. */
export const barePrincipal: Principal = Object.freeze({
  kind: 'virtual_key',
  keyId: '',
  keyAlias: null,
  keyName: null,
  userId: null,
  userEmail: null,
  teamId: null,
  teamAlias: null,
  organizationId: null,
  role: 'customer',
  modelAccess: [],
  modelAliases: {},
  allowedRoutes: [],
  budgets: [],
  rateLimits: [],
  tags: [],
  metadata: {},
  allowedCacheControls: [],
  expiresAt: null,
  blocked: null,
  endUserDefaults: [],
  sinkRules: null,
});

export interface SinkRules {
  /** Sinks of its own; each takes the place of the gateway's sink of that name. */
  readonly own: readonly OwnSink[];
  /** Names of the gateway's sinks that are not told. */
  readonly leftOut: readonly string[];
  /** No sink is told at all. */
  readonly isOff: boolean;
  readonly hidesContent: boolean;
  /** Some sink of its own takes what is asked and answered. */
  readonly takesContent: boolean;
}

export interface OwnSink {
  readonly name: string;
  readonly hears: 'success' | 'failure' | 'all';
  /** As stored: credentials are sealed, or refer to the environment. */
  readonly vars: JsonObject;
}

export const roles = [
  'proxy_admin',
  'proxy_admin_viewer',
  'org_admin',
  'internal_user',
  'internal_user_viewer',
  'team',
  'customer',
] as const;
export type Role = (typeof roles)[number];
