import type { Role } from './identity.ts';
import type { JsonObject } from './json.ts';
import type { Nanodollars } from './money.ts';
import type { IdempotencyStore, ObjectStore } from './ports.ts';
import type { RequestRecord } from './request-record.ts';

/*
 * What the store keeps for the control plane. Columns are what is searched, joined or enforced; everything else of a
 * resource stays in `extra` as the operator wrote it. Times are unix milliseconds, money is nano-dollars, null = not set.
 * Spend is never a column here: balances live in the accounts, so that writing a profile cannot touch money.
 */

/** Limits that keys, users, teams, organizations, end users, tags and shared budgets have in common. */
export interface LimitColumns {
  maxBudget: Nanodollars | null;
  softBudget: Nanodollars | null;
  budgetDuration: string | null;
  rpmLimit: number | null;
  tpmLimit: number | null;
  maxParallelRequests: number | null;
  /** Per model: `{ model: { max_budget, budget_duration, rpm_limit, tpm_limit } }`, dollars as written. */
  modelLimits: JsonObject;
  /** A shared budget whose figures apply where the own column is null. */
  budgetId: string | null;
}

interface Tracked {
  createdAt: number;
  updatedAt: number;
  createdBy: string | null;
  updatedBy: string | null;
  extra: JsonObject;
}

export interface KeyRecord extends LimitColumns, Tracked {
  /** SHA-256 of the key, hex. */
  id: string;
  /** `sk-...last4`. */
  name: string;
  alias: string | null;
  userId: string | null;
  teamId: string | null;
  organizationId: string | null;
  models: string[];
  aliases: Record<string, string>;
  allowedRoutes: string[];
  blocked: boolean;
  expiresAt: number | null;
  metadata: JsonObject;
  tags: string[];
  /** Set on the old key of a rotation: until when it is still good. */
  replacedBy: string | null;
  temporaryIncrease: Nanodollars | null;
  temporaryIncreaseUntil: number | null;
  lastActiveAt: number | null;
}

/** What a key's spend and limits are counted under: a key that took the place of another goes on in its account. */
export function keyAccountId(key: Pick<KeyRecord, 'id' | 'extra'>): string {
  return typeof key.extra.account_id === 'string' ? key.extra.account_id : key.id;
}

export interface TeamRecord extends LimitColumns, Tracked {
  id: string;
  alias: string | null;
  organizationId: string | null;
  models: string[];
  modelAliases: Record<string, string>;
  blocked: boolean;
  metadata: JsonObject;
  /** Default budget of each member, and its window. */
  memberBudget: Nanodollars | null;
  memberBudgetDuration: string | null;
  memberRpmLimit: number | null;
  memberTpmLimit: number | null;
}

export interface MembershipRecord extends Tracked {
  /** `teamId/userId`. */
  id: string;
  teamId: string;
  userId: string;
  role: 'admin' | 'user';
  maxBudget: Nanodollars | null;
  budgetDuration: string | null;
  rpmLimit: number | null;
  tpmLimit: number | null;
  allowedModels: string[];
}

export interface UserRecord extends LimitColumns, Tracked {
  id: string;
  email: string | null;
  alias: string | null;
  role: Role;
  models: string[];
  blocked: boolean;
  metadata: JsonObject;
}

export interface OrganizationRecord extends LimitColumns, Tracked {
  id: string;
  alias: string;
  models: string[];
  blocked: boolean;
  metadata: JsonObject;
}

export interface OrganizationMembershipRecord extends Tracked {
  /** `organizationId/userId`. */
  id: string;
  organizationId: string;
  userId: string;
  role: Role;
}

export interface EndUserRecord extends LimitColumns, Tracked {
  id: string;
  alias: string | null;
  blocked: boolean;
  allowedModelRegion: string | null;
  defaultModel: string | null;
}

export interface TagRecord extends LimitColumns, Tracked {
  id: string;
  description: string | null;
  models: string[];
}

/** A part of a team: keys name it, and it bounds them. */
export interface ProjectRecord extends LimitColumns, Tracked {
  id: string;
  alias: string | null;
  teamId: string;
  models: string[];
  blocked: boolean;
  metadata: JsonObject;
}

/** Models under one name, which may stand in the model lists of keys and teams. */
export interface AccessGroupRecord extends Tracked {
  id: string;
  name: string;
  description: string | null;
  /** Public model names and patterns. */
  models: string[];
  /** Single deployments; the group allows their model names. */
  deployments: string[];
}

/** What somebody thought of an answer, or of a whole trace. */
export interface FeedbackRecord {
  id: string;
  at: number;
  traceId: string;
  /** A figure from -10 to 10, and its weight from 0 to 1. */
  value: number;
  weight: number;
  metadata: JsonObject;
  keyId: string | null;
  userId: string | null;
  teamId: string | null;
}

export interface BudgetRecord extends Tracked {
  id: string;
  maxBudget: Nanodollars | null;
  softBudget: Nanodollars | null;
  budgetDuration: string | null;
  rpmLimit: number | null;
  tpmLimit: number | null;
  maxParallelRequests: number | null;
  modelLimits: JsonObject;
}

/** A deployment added through the admin API. Secrets inside `params` are encrypted before they come here. */
export interface ModelRecord extends Tracked {
  id: string;
  modelName: string;
  params: JsonObject;
  modelInfo: JsonObject;
  blocked: boolean;
}

export interface CredentialRecord extends Tracked {
  id: string;
  /** Encrypted. */
  values: JsonObject;
  /** Shown. */
  details: JsonObject;
}

/** Settings changed through the admin API, by section. */
export interface SettingRecord extends Tracked {
  id: string;
  value: JsonObject;
}

export interface AuditRecord {
  id: string;
  at: number;
  actor: string;
  actorKeyId: string | null;
  action: 'created' | 'updated' | 'deleted' | 'blocked' | 'unblocked' | 'regenerated' | 'reset';
  resource: string;
  objectId: string;
  before: JsonObject | null;
  after: JsonObject | null;
}

/** Spend of one account in one window. */
export interface AccountRecord {
  /** scope, id, model ('' = all), window ('' = never resets), joined by `|`, plus the window start. */
  key: string;
  windowStart: number;
  scope: string;
  id: string;
  model: string;
  duration: string;
  cap: Nanodollars | null;
  spent: Nanodollars;
  /** Sum of the slices that processes hold. */
  leased: Nanodollars;
}

export interface ListQuery<Row> {
  /** Equality per column; null matches NULL. */
  readonly where?: Partial<{ [Column in keyof Row]: Row[Column] | readonly Row[Column][] }>;
  /** Case-insensitive substring per text column. */
  readonly like?: Partial<Record<keyof Row & string, string>>;
  readonly orderBy?: keyof Row & string;
  readonly descending?: boolean;
  readonly offset?: number;
  readonly limit?: number;
}

export interface Repository<Row extends { id: string }> {
  get(id: string): Promise<Row | undefined>;
  many(ids: readonly string[]): Promise<Row[]>;
  list(query?: ListQuery<Row>): Promise<Row[]>;
  count(query?: ListQuery<Row>): Promise<number>;
  /** Throws ConflictError when the id, or a unique column, is taken. */
  insert(row: Row): Promise<void>;
  /** Writes only the columns given. Resolves to the row after the change; undefined when there is none. */
  update(id: string, changes: Partial<Row>): Promise<Row | undefined>;
  remove(ids: readonly string[]): Promise<Row[]>;
}

export class ConflictError extends Error {
  readonly column: string;
  constructor(column: string, message: string) {
    super(message);
    this.name = 'ConflictError';
    this.column = column;
  }
}

export type StoreFault = 'corrupt' | 'not_writable' | 'full' | 'locked' | 'newer_schema' | 'closed' | 'unavailable';

/** The store cannot do its work. The message is for the operator and says what to do; it holds no values of rows. */
export class StoreError extends Error {
  readonly fault: StoreFault;
  constructor(fault: StoreFault, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StoreError';
    this.fault = fault;
  }
}

/** Money given back to an account: one line of the books. */
export interface AdjustmentRecord {
  readonly id: string;
  readonly at: number;
  readonly actor: string;
  readonly reason: string;
  /** Set when the cost of one request is given back. */
  readonly requestId: string | null;
  readonly key: string;
  readonly windowStart: number;
  /** More than 0: taken from what was spent. */
  readonly amount: Nanodollars;
}

/** The only way in which what was spent falls; inside a transaction, beside the audit row. */
export interface AdjustmentRepository {
  /** Writes the line and changes the account. Resolves to the account; null, with nothing done, when less was spent. */
  credit(adjustment: AdjustmentRecord): Promise<AccountRecord | null>;
  /** What was given back for a request on one account so far. */
  creditedFor(requestId: string, key: string, windowStart: number): Promise<Nanodollars>;
}

/** Something was changed through the control plane; `version` counts such changes from 1 in the order of their commits. */
export interface ChangeRecord {
  readonly version: number;
  readonly scope: string;
  readonly id: string;
}

/** By which every process learns what it must no longer remember. */
export interface ChangeRepository {
  /** The last thing done in a transaction: until it commits, nobody else can append. */
  append(changes: readonly { readonly scope: string; readonly id: string }[]): Promise<void>;
  /** Version of the newest change; 0 when there was none. */
  newest(): Promise<number>;
  /** What came after `version`, oldest first; null when that is no longer known completely. */
  since(version: number): Promise<readonly ChangeRecord[] | null>;
}

export interface AlertRepository {
  /** True for the first who asks for this id, over all processes. */
  claim(id: string, now: number): Promise<boolean>;
}

export interface ReplicaBeat {
  readonly id: string;
  /** Grows as long as the process lives. No clock is compared. */
  readonly beats: number;
}

export interface ReplicaRepository {
  /** One more sign of life of `id`; tells the figures of all. */
  beat(id: string): Promise<readonly ReplicaBeat[]>;
  remove(ids: readonly string[]): Promise<void>;
}

export interface Repositories {
  readonly keys: Repository<KeyRecord>;
  readonly teams: Repository<TeamRecord>;
  readonly memberships: Repository<MembershipRecord>;
  readonly users: Repository<UserRecord>;
  readonly organizations: Repository<OrganizationRecord>;
  readonly organizationMemberships: Repository<OrganizationMembershipRecord>;
  readonly endUsers: Repository<EndUserRecord>;
  readonly tags: Repository<TagRecord>;
  readonly projects: Repository<ProjectRecord>;
  readonly accessGroups: Repository<AccessGroupRecord>;
  readonly feedback: Repository<FeedbackRecord>;
  readonly budgets: Repository<BudgetRecord>;
  readonly models: Repository<ModelRecord>;
  readonly credentials: Repository<CredentialRecord>;
  readonly settings: Repository<SettingRecord>;
  readonly audit: Repository<AuditRecord>;
  readonly changes: ChangeRepository;
  readonly adjustments: AdjustmentRepository;
}

export interface Store extends Repositories {
  readonly usage: UsageRepository;
  readonly accounts: AccountRepository;
  readonly replicas: ReplicaRepository;
  readonly idempotency: IdempotencyStore;
  readonly alerts: AlertRepository;
  readonly objects: ObjectStore;
  /**
   * All writes inside commit together or not at all. Whoever works inside uses the repositories given to it and waits for
   * nothing but them: other writers stand in line meanwhile.
   */
  transaction<Result>(work: (repositories: Repositories) => Promise<Result>): Promise<Result>;
  /** Resolves when the store answers; rejects otherwise. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface UsageFilter {
  /** Unix milliseconds of the start of the request: `from <= startedAt < to`. */
  readonly from?: number;
  readonly to?: number;
  readonly keyId?: string;
  readonly userId?: string;
  readonly teamId?: string;
  readonly organizationId?: string;
  readonly endUserId?: string;
  readonly tag?: string;
  /** The model that answered. */
  readonly model?: string;
  readonly modelGroup?: string;
  readonly deploymentId?: string;
  readonly provider?: string;
  readonly status?: string;
  readonly errorCode?: string;
  readonly sessionId?: string;
  readonly costMin?: Nanodollars;
  readonly costMax?: Nanodollars;
}

export type UsageDimension =
  | 'hour'
  | 'day'
  | 'keyId'
  | 'userId'
  | 'teamId'
  | 'organizationId'
  | 'endUserId'
  | 'tag'
  | 'modelUsed'
  | 'modelGroup'
  | 'provider'
  | 'deploymentId'
  | 'status'
  | 'path';

export interface UsageSummary {
  readonly group: Readonly<Partial<Record<UsageDimension, string | null>>>;
  readonly requests: number;
  readonly successes: number;
  /** All that were not successes, refused ones included. */
  readonly failures: number;
  /** Every class of input tokens, cached ones included. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly cost: Nanodollars;
}

/** What only sums that were kept know: how long things took, what came from the cache and from other models. */
export interface UsageMeasures extends UsageSummary {
  readonly cacheHits: number;
  /** Requests to providers. */
  readonly attempts: number;
  /** Requests that another model group answered than the one that was tried first. */
  readonly fallbacks: number;
  /** Sums over all requests, the gateway's own share apart. */
  readonly durationMs: number;
  readonly overheadMs: number;
  /** Of answers that a provider worked on; bins as in latency-bins.ts. */
  readonly latency: readonly number[];
  /** The same until the first content, of streams. */
  readonly firstToken: readonly number[];
}

export interface UsageRepository {
  get(id: string): Promise<RequestRecord | undefined>;
  list(
    filter: UsageFilter,
    page: {
      offset: number;
      limit: number;
      orderBy?: 'startedAt' | 'cost' | 'totalTokens' | 'endedAt';
      descending?: boolean;
      /** In the order of starts: what comes after this row. A page is found at once, however deep. */
      after?: { readonly startedAt: number; readonly id: string };
    },
  ): Promise<RequestRecord[]>;
  count(filter: UsageFilter): Promise<number>;
  /**
   * Sums grouped by the dimensions, days (`YYYY-MM-DD`) and hours in UTC; by none, one row for all. Grouped by tag, a
   * request counts under each of its tags and one without tags nowhere. Whole days that ask for no finer filter, and for
   * tags or end users but not both, are still known after their rows are removed.
   */
  summarize(filter: UsageFilter, by: readonly UsageDimension[]): Promise<UsageSummary[]>;
  /** The same with times, from what was summed as requests came; null when only the rows know: finer filters, parts of hours. */
  measure(filter: UsageFilter, by: readonly UsageDimension[]): Promise<UsageMeasures[] | null>;
  /**
   * Sums of days that ended before `kept` are no longer kept by the hour; those of hours that ended before `closed`, which is
   * the same when left out, are made ready for questions over a long time. Resolves to the hours moved.
   */
  fold(kept: number, closed?: number): Promise<number>;
  /** Deletes rows that ended before the time; returns how many. The accounts keep their sums. */
  removeBefore(endedBefore: number): Promise<number>;
}

export interface AccountRepository {
  /** Balances of these accounts; absent ones are left out. */
  balances(keys: readonly { key: string; windowStart: number }[]): Promise<AccountRecord[]>;
  /** Latest window of every account of a scope's ids, models apart, for listing spend. */
  ofScope(scope: string, ids: readonly string[]): Promise<AccountRecord[]>;
}
