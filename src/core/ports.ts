import type { AccountRef } from './books.ts';
import type { CallerHeaders, Received } from './exchange.ts';
import type { Principal, Scope } from './identity.ts';
import type { BudgetDenial, BudgetRule, RateLimitClaim, RateLimitDenial, RateLimitRule } from './limits.ts';
import type { Nanodollars } from './money.ts';
import type { Attempt, RequestRecord } from './request-record.ts';
import type { TraceContext } from './trace-context.ts';

/* The doors to the outside. Everything behind them is in adapters/ and handed in by the composition root. */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Monotonic milliseconds with a fraction, for durations only. */
  tick(): number;
  /** Coarse timers may fire up to 10 ms late. They never keep the program alive by themselves. */
  setTimer(delayMs: number, callback: () => void): Timer;
}

export interface Chance {
  /** Uniform in [0, 1). */
  fraction(): number;
  /** A new id: 128 random bits as a UUID. */
  id(): string;
  /** Unguessable text of `bytes` random bytes in base64url, for keys. */
  token(bytes: number): string;
}

// ─── Transport ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface UpstreamRequest {
  readonly origin: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** Flat list name, value … */
  readonly headers: readonly string[];
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null;
  readonly connectTimeoutMs: number;
  /** Opens a connection of its own instead of taking one that may just be closing. */
  readonly freshConnection: boolean;
}

export interface TransportError {
  readonly kind:
    | 'refused'
    | 'connect_timeout'
    | 'tls'
    | 'reset'
    | 'name_resolution'
    | 'protocol'
    | 'cancelled'
    | 'other';
  /** Safe for callers: no address, no credential. */
  readonly message: string;
  /** False only when it is certain that the provider saw nothing of the request. */
  readonly sent: boolean;
  /** True when a reused keep-alive connection died before any answer byte: worth one retry on a fresh connection. */
  readonly reusedConnection: boolean;
}

/** Receives one answer. Calls come in this order, at most one of onEnd / onError, nothing after cancel(). */
export interface UpstreamReceiver {
  onHeaders(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void;
  onBytes(chunk: Buffer): void;
  onEnd(): void;
  onError(error: TransportError): void;
}

export interface UpstreamExchange {
  pause(): void;
  resume(): void;
  /** Closes the connection to the provider; no further calls to the receiver. */
  cancel(): void;
}

export interface Transport {
  send(request: UpstreamRequest, receiver: UpstreamReceiver): UpstreamExchange;
  close(): Promise<void>;
}

/** One end of a WebSocket. */
export interface SocketPeer {
  /** Returns how many bytes wait to be taken, this message included. */
  send(text: string): number;
  /** Resolves when nothing waits any more, or the connection is over. */
  drained(): Promise<void>;
  /** Reads nothing more until `resume`. */
  pause(): void;
  resume(): void;
  close(code: number, reason: string): void;
}

export type UpstreamSocket = SocketPeer;

export interface SocketTransport {
  /** Rejects with an Error that holds no address and no credential, and the `status` of an answer that was no WebSocket. */
  connect(
    request: Pick<UpstreamRequest, 'origin' | 'path' | 'headers' | 'connectTimeoutMs'>,
    receiver: { onText(text: string): void; onClose(code: number, reason: string): void },
  ): Promise<UpstreamSocket>;
}

/** What the authorisation of calls may reach: the time, identity services, files that hold tokens. */
export interface Outside {
  /** Unix milliseconds. */
  now(): number;
  /** One small answer, whole, whatever its status. Rejects with an OutsideError that holds no address and no credential. */
  send(request: OutsideRequest): Promise<OutsideAnswer>;
  /** Text of a small file. Rejects with an OutsideError. */
  readFile(path: string): Promise<string>;
}

export interface OutsideRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Absolute, http or https. */
  readonly address: string;
  /** Flat list name, value … lower-case names. */
  readonly headers: readonly string[];
  readonly body: string | null;
  /** Over everything; 10 s where absent. Short where nobody may be there, such as a metadata server. */
  readonly timeoutMs?: number;
}

export interface OutsideAnswer {
  readonly status: number;
  readonly body: string;
}

export class OutsideError extends Error {}

/** What a caller named by address is fetched within these. */
export interface MediaLimits {
  readonly bytesMax: number;
  /** Over everything: look-up, redirects, body. */
  readonly timeoutMs: number;
  /** `host` or `host:port` of private addresses that the operator opened. */
  readonly allowedHosts: ReadonlySet<string>;
}

export interface FetchedMedia {
  readonly mediaType: string;
  readonly base64: string;
}

/** Fetches images and files for providers that take bytes only. Rejects with GatewayError that says why, to the caller. */
export interface MediaFetcher {
  bring(address: string, limits: MediaLimits): Promise<FetchedMedia>;
}

// ─── Money ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** An upper bound held on every account of a request's chain. */
export interface BudgetReservation {
  readonly requestId: string;
  readonly bound: Nanodollars;
}

/** What a reservation holds on the budgets of the deployment that is asked. */
export interface BudgetPart {
  readonly bound: Nanodollars;
}

/** What must be on record before the first byte goes to a provider, so that a crash afterwards can be charged. */
export type DispatchNote = Pick<
  RequestRecord,
  | 'id'
  | 'operation'
  | 'dialect'
  | 'path'
  | 'keyId'
  | 'keyAlias'
  | 'userId'
  | 'teamId'
  | 'organizationId'
  | 'endUserId'
  | 'tags'
  | 'modelAsked'
  | 'modelGroup'
  | 'deploymentId'
  | 'provider'
  | 'modelUsed'
  | 'stream'
  | 'startedAt'
> & {
  /**
   * Everything bought so far, this attempt last, each with what it is charged if nobody sees its end. Absent or
   * empty when the whole bound is this attempt's.
   */
  readonly attempts?: readonly Attempt[];
};

/**
 * The books. Hard budgets are never exceeded and nothing that fits is refused: a bound is held on every account of the
 * chain, all or none, before anything is sent; the true cost takes its place afterwards.
 */
export interface Ledger {
  /**
   * Answers at once from what this process holds; a promise only when the store must be asked. `rules` may repeat a
   * scope (several windows). Rules without a cap are counted, never refused.
   */
  reserve(
    requestId: string,
    rules: readonly BudgetRule[],
    bound: Nanodollars,
  ): BudgetReservation | BudgetDenial | Promise<BudgetReservation | BudgetDenial>;
  /** Holds more for a second purchase after an ambiguous failure; null when it does not fit. */
  extend(reservation: BudgetReservation, extra: Nanodollars): boolean | Promise<boolean>;
  /**
   * Holds `amount` on the budgets of the one deployment that is about to be asked, and of its provider. Given back by
   * `detach`; else settled with the request, each account by what was bought there.
   */
  attach(
    reservation: BudgetReservation,
    rules: readonly BudgetRule[],
    amount: Nanodollars,
  ): BudgetPart | BudgetDenial | Promise<BudgetPart | BudgetDenial>;
  /** The deployment was not asked, or did nothing that could be billed. */
  detach(reservation: BudgetReservation, part: BudgetPart): void;
  /** Durable against the death of this process when the promise resolves (or at once when it returns undefined). */
  dispatched(reservation: BudgetReservation, note: DispatchNote): undefined | Promise<void>;
  /** Replaces the hold by `record.cost` and records the request. A second call for the same id changes nothing. */
  settle(reservation: BudgetReservation, record: RequestRecord): void;
  /** Records a request that never held anything (refused, cache hit). */
  record(record: RequestRecord): void;
  /** What the books say of these accounts now, holds included. From memory, at most a heartbeat old. */
  balance(rule: BudgetRule): AccountBalance;
  /** Takes over the store's figures of accounts that were changed there. */
  reread(accounts: readonly AccountRef[]): Promise<void>;
  /** Every record so far is in the store. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface AccountBalance {
  readonly spent: Nanodollars;
  readonly held: Nanodollars;
  readonly resetAt: number | null;
}

// ─── Rate limits ────────────────────────────────────────────────────────────────────────────────────────────────────

export interface RateLimitReservation {
  readonly claims: readonly RateLimitClaim[];
  /** For the headers: what is left of each claim's limit, same order. */
  readonly remaining: readonly number[];
  /** Unix milliseconds when each window is fresh again, same order. */
  readonly resetAt: readonly number[];
}

/** Sliding windows of 60 s; all claims or none. */
export interface Limiter {
  reserve(
    requestId: string,
    claims: readonly RateLimitClaim[],
  ): RateLimitReservation | RateLimitDenial | Promise<RateLimitReservation | RateLimitDenial>;
  /** The request is over: free parallel slots, put the true tokens in place of the reserved ones. */
  settle(
    requestId: string,
    reservation: RateLimitReservation,
    usage: { inputTokens: number; outputTokens: number },
  ): void;
  /** The request was refused elsewhere: as if it had never been claimed. */
  release(requestId: string, reservation: RateLimitReservation): void;
}

// ─── Requests that may be made once ─────────────────────────────────────────────────────────────────────────────────

export interface KeptAnswer {
  readonly status: number;
  readonly contentType: string;
  /** As the caller got it, byte for byte. */
  readonly body: Uint8Array;
}

export interface IdempotencyClaim {
  /** Hash of the principal and its key. */
  readonly key: string;
  /** Hash of what is asked. */
  readonly fingerprint: string;
  readonly requestId: string;
  /** Unix milliseconds, like the other two. */
  readonly now: number;
  /** Until when the request may be under way; after that it was interrupted. */
  readonly runningUntil: number;
  readonly expiresAt: number;
}

export interface IdempotencyRecord {
  readonly requestId: string;
  readonly fingerprint: string;
  readonly state: 'running' | 'answered' | 'lost';
  readonly runningUntil: number;
  readonly answer: KeptAnswer | null;
}

/** Which request has which idempotency key, over all processes. */
export interface IdempotencyStore {
  /** Puts the claim on record unless the key is taken. Resolves to who has it now: the claim itself when it was free. */
  claim(claim: IdempotencyClaim): Promise<IdempotencyRecord>;
  /** The request is over; `null` = there is no answer that could be given again. */
  keep(key: string, requestId: string, answer: KeptAnswer | null): Promise<void>;
  /** The key is free again. */
  release(key: string, requestId: string): Promise<void>;
  /** Resolves to how many were removed. */
  removeExpired(now: number): Promise<number>;
}

// ─── What is kept for callers between their requests ────────────────────────────────────────────────────────────────

export interface KeptObject {
  readonly id: string;
  readonly kind: string;
  /** Whoever this is may see it; to everybody else it is not there. */
  readonly owner: string;
  /** What it belongs to: the first answer of its thread, a conversation. */
  readonly parent: string | null;
  /** Its place among those of its parent. */
  readonly position: number;
  /** JSON. */
  readonly body: string;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/** Answers and conversations, over all processes. */
export interface ObjectStore {
  /** Writes them all or none; one with the same id is replaced. */
  put(objects: readonly KeptObject[]): Promise<void>;
  get(id: string): Promise<KeptObject | undefined>;
  /** Everything with this parent, in order. */
  children(parent: string): Promise<readonly KeptObject[]>;
  /** With everything that has it for a parent. Resolves to how many were removed. */
  remove(ids: readonly string[]): Promise<number>;
  removeExpired(now: number): Promise<number>;
}

// ─── Caches ─────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface CachedAnswer {
  /** The whole answer as one body in `dialect`, even when it came as a stream. */
  readonly body: Uint8Array;
  readonly dialect: string;
  readonly modelUsed: string | null;
  readonly storedAt: number;
}

export interface ResponseCache {
  get(key: string): CachedAnswer | undefined | Promise<CachedAnswer | undefined>;
  set(key: string, answer: CachedAnswer, ttlMs: number): void;
  delete(keys: readonly string[]): Promise<void>;
  clear(): Promise<void>;
  readonly type: string;
  /** What the server behind it says of itself, where there is one. Rejects with a GatewayError when it does not answer. */
  serverFacts?(): Promise<CacheServerFacts>;
}

export interface CacheServerFacts {
  readonly info: Readonly<Record<string, string>>;
  readonly clients: readonly Readonly<Record<string, string>>[];
}

/** Key hash → principal: bounded, and told of every change within a second. */
export interface PrincipalSource {
  /** At once when cached; undefined when there is no such key. With `userId` as if the key were that user's. */
  find(keyId: string, userId?: string): Principal | undefined | Promise<Principal | undefined>;
  /** Budgets and limits of an end user (known or by default). */
  endUser(id: string): EndUserLimits | Promise<EndUserLimits>;
  /** Budgets and limits of a tag. */
  tag(name: string): TagLimits | Promise<TagLimits>;
  /** Forgets what it knows about something that was changed; `null` forgets everything. */
  invalidate(what: { readonly scope: string; readonly id: string } | null): void;
}

export interface EndUserLimits {
  readonly blocked: boolean;
  readonly budgets: readonly BudgetRule[];
  readonly rateLimits: readonly RateLimitRule[];
}
export interface TagLimits {
  readonly budgets: readonly BudgetRule[];
  readonly rateLimits: readonly RateLimitRule[];
}

// ─── Telemetry ──────────────────────────────────────────────────────────────────────────────────────────────────────

export interface BudgetAlert {
  /** The same in every process for one crossing of one limit in one window. */
  readonly id: string;
  readonly event: 'soft_budget_crossed' | 'threshold_crossed' | 'budget_crossed';
  readonly scope: Scope;
  readonly subjectId: string;
  readonly label: string;
  readonly spent: Nanodollars;
  readonly cap: Nanodollars | null;
  readonly softCap: Nanodollars | null;
  readonly message: string;
}

/** Something about the gateway or its providers that somebody should look at. */
export interface ConditionAlert {
  readonly id: string;
  readonly event:
    | 'deployment_failing'
    | 'deployment_slow'
    | 'deployment_cooled_down'
    | 'deployment_suspended'
    | 'store_down'
    | 'store_back'
    | 'spend_unusual'
    | 'spend_report'
    | 'sink_losing';
  /** What it is about: a deployment, a store, a key's alias, a sink. */
  readonly subject: string;
  readonly message: string;
  /** Figures for programs. */
  readonly facts: Readonly<Record<string, string | number | null>>;
  /** Told by this process without asking whether another one has told it: the store that knows is away. */
  readonly unclaimed?: boolean;
}

export type Alert = BudgetAlert | ConditionAlert;

/** Told of what people should know; must return at once and never throw. */
export interface AlertSink {
  alert(alert: Alert): void;
}

/** Told of every finished request; must return at once and never throw. */
export interface RecordSink {
  /** `journey` is as far as the request came (null: its body could not be read); to be read now, never kept. */
  record(record: RequestRecord, journey: Received | null): void;
}

/** Decides at its beginning which trace a request belongs to and whether its spans are wanted. */
export interface Tracing {
  /** null while nobody wants spans. */
  begin(headers: CallerHeaders, requestId: string): TraceContext | null;
}

export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}
