import type { CallAddress, Dialect, KeepingWishes, RequestFacts } from './dialect.ts';
import type { GatewayError } from './errors.ts';
import type { Principal } from './identity.ts';
import type { JsonObject } from './json.ts';
import type { Nanodollars } from './money.ts';
import type { Operation } from './operation.ts';
import type { BudgetReservation, RateLimitReservation } from './ports.ts';
import type { Attempt, RequestRecord } from './request-record.ts';
import type { Deployment, PassThroughTarget, Snapshot } from './route.ts';
import type { TraceContext } from './trace-context.ts';
import type { Upload } from './upload.ts';
import type { Usage } from './usage.ts';

/*
 * The journey of one request: a value that travels one way through the stations. Every station takes the type of the
 * station before it and returns its own, so none can be left out. One object carries it all the way (one allocation,
 * one shape); the types say how far it has come. Only the station named in a function below may call that function;
 * test/architecture.test.ts holds this.
 */
declare const station: unique symbol;

/** 1. receive: the bytes are in, the caller's wishes are known. */
export interface Received {
  readonly [station]: 'received' | 'identified' | 'planned' | 'admitted' | 'answered' | 'settled';
  readonly id: string;
  readonly operation: Operation;
  /** The wire format the caller speaks. */
  readonly dialect: Dialect;
  readonly path: string;
  readonly address: CallAddress;
  /** The body as sent. */
  readonly bytes: Buffer;
  /** The body parsed, never changed; the fields of a form. Parsed again when it was let go of. */
  readonly body: JsonObject;
  /** Those of its members that are single values, and perhaps others. */
  readonly settings: JsonObject;
  /** The form, where the body is one; `bytes` then only describes it. */
  readonly upload: Upload | null;
  /** Set where the request goes to a path of the provider's that the gateway does not know. */
  readonly passThrough: PassThrough | null;
  /** Money that was set aside for this request before it came. */
  readonly funds: Funds | null;
  readonly facts: RequestFacts;
  readonly options: RequestOptions;
  /** Flat list name, value … lower-case names, as received. */
  readonly headers: CallerHeaders;
  readonly clientAddress: string | null;
  /** Aborted when the client leaves. */
  readonly client: ClientPresence;
  /** The configuration this request lives under, whatever is swapped in meanwhile. */
  readonly snapshot: Snapshot;
  /** Unix milliseconds. */
  readonly receivedAt: number;
  /** Monotonic milliseconds, for durations. */
  readonly receivedTick: number;
  /** Monotonic milliseconds when its headers were in. */
  readonly arrivedTick: number;
  /** null while nobody wants spans. */
  readonly trace: TraceContext | null;
}

export interface PassThrough {
  readonly provider: string;
  /** Where the operator opened the path; else the provider's deployments are asked. */
  readonly target?: PassThroughTarget;
  readonly rest: string;
  readonly query: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Of the body; null without one. */
  readonly contentType: string | null;
}

export interface Funds {
  /** It was bought already: it is on the books, whether it fits or not. */
  readonly isSpent?: boolean;
  /** Called in the same step in which the request's own bound is held. */
  release(): void;
}

/** 2. authenticate: who asks. */
export interface Identified extends Received {
  readonly [station]: 'identified' | 'planned' | 'admitted' | 'answered' | 'settled';
  readonly principal: Principal;
  readonly endUserId: string | null;
  readonly tags: readonly string[];
  readonly identifiedTick: number;
  /** null in formats that keep nothing between requests. */
  readonly recall: Recall | null;
}

/** What a request goes on from, and what of it is kept; the body already holds what was recalled. */
export interface Recall {
  /** Who may come back to it. */
  readonly owner: string;
  /** The body as the caller sent it. */
  readonly asked: JsonObject;
  /** What the caller adds by this request. */
  readonly items: readonly JsonObject[];
  /** The first answer of the thread this one belongs to; null when it begins one. */
  readonly thread: string | null;
  readonly previousId: string | null;
  readonly conversationId: string | null;
  readonly wishes: KeepingWishes;
  /** Whose account keeps the earlier answer; null when it was put into the body. */
  readonly pinned: Deployment | null;
  /** The id of the answer when it is the gateway that keeps it. */
  readonly ownId: string;
  /** Earlier and new items, where the connection itself remembers them. */
  readonly remembered: readonly JsonObject[] | null;
  /** What the caller reads in the place of the provider's id; null where the provider keeps nothing. */
  answerId(keptBy: Deployment | null): (id: string) => string;
}

/** 3. plan: where it may go, in order. */
export interface Planned extends Identified {
  readonly [station]: 'planned' | 'admitted' | 'answered' | 'settled';
  /** Public model name after aliases. */
  readonly model: string;
  readonly route: Route;
  readonly plannedTick: number;
}

/** What the body for a provider is made from. */
export type Askable = Planned & Partial<Pick<Admitted, 'clampedOutputTokens'>>;

/** 4. admit: it fits every limit and its bound is held. */
export interface Admitted extends Planned {
  readonly [station]: 'admitted' | 'answered' | 'settled';
  readonly reservation: BudgetReservation | null;
  readonly rateReservation: RateLimitReservation | null;
  /** What the response cache may do for this request and what it knew; null when it is not asked. */
  readonly cache: CacheLookUp | null;
  readonly bound: Nanodollars;
  /** Maximum output tokens imposed because the caller's bound did not fit; null when nothing was clamped. */
  readonly clampedOutputTokens: number | null;
  readonly admittedTick: number;
}

/** The response cache, asked before money is held: what it knows costs nothing. */
export interface CacheLookUp {
  readonly key: string;
  /** Milliseconds an answer is kept; null when it must not be kept. */
  readonly ttlMs: number | null;
  readonly hit: CacheHit | null;
  /** Monotonic milliseconds when it was asked and when it had answered; 0 when it was not. */
  readonly askedTick: number;
  readonly toldTick: number;
}

/** An earlier answer, ready to be told again. */
export interface CacheHit {
  /** As it was kept: one body in the caller's dialect. */
  readonly stored: Buffer;
  /** As the caller gets it: the same, or a stream. */
  readonly told: Buffer;
  readonly usage: Usage;
  readonly finishReason: string | null;
  readonly modelUsed: string | null;
}

/** 5. call: an answer is on its way; `outcome` tells how it went once it is over. */
export interface Answered extends Admitted {
  readonly [station]: 'answered' | 'settled';
  readonly reply: Reply;
}

/** 6. settle: the true cost has taken the place of the bound. */
export interface Settled extends Answered {
  readonly [station]: 'settled';
  readonly outcome: Outcome;
  readonly cost: Nanodollars;
  readonly record: RequestRecord;
}

/** The one object behind the types; all fields present from the start so that its shape never changes. */
class Exchange {
  id = '';
  operation: Operation = 'chat';
  dialect: Dialect | undefined;
  path = '';
  address: CallAddress | undefined;
  bytes: Buffer | undefined;
  parsed: JsonObject | null = null;
  upload: Upload | null = null;
  funds: Funds | null = null;
  passThrough: PassThrough | null = null;
  facts: RequestFacts | undefined;
  options: RequestOptions | undefined;
  headers: CallerHeaders | undefined;
  clientAddress: string | null = null;
  client: ClientPresence | undefined;
  snapshot: Snapshot | undefined;
  receivedAt = 0;
  receivedTick = 0;
  arrivedTick = 0;
  trace: TraceContext | null = null;
  principal: Principal | undefined;
  endUserId: string | null = null;
  tags: readonly string[] = [];
  recall: Recall | null = null;
  identifiedTick = 0;
  model = '';
  route: Route | undefined;
  plannedTick = 0;
  reservation: BudgetReservation | null = null;
  rateReservation: RateLimitReservation | null = null;
  cache: CacheLookUp | null = null;
  bound: Nanodollars = 0;
  clampedOutputTokens: number | null = null;
  admittedTick = 0;
  reply: Reply | undefined;
  outcome: Outcome | undefined;
  cost: Nanodollars = 0;
  record: RequestRecord | undefined;
  settings: JsonObject = {};

  get body(): JsonObject {
    this.parsed ??= JSON.parse(this.bytes!.toString('utf8')) as JsonObject;
    return this.parsed;
  }

  set body(body: JsonObject) {
    this.parsed = body;
    this.settings = body;
  }
}

type Fields<To, From> = Omit<To, keyof From | typeof station>;

// Field by field: Object.assign looks each name up anew, which every request would pay for at every station.

export function asReceived(fields: Omit<Received, typeof station | 'settings'>): Received {
  const exchange = new Exchange();
  exchange.id = fields.id;
  exchange.operation = fields.operation;
  exchange.dialect = fields.dialect;
  exchange.path = fields.path;
  exchange.address = fields.address;
  exchange.bytes = fields.bytes;
  exchange.body = fields.body;
  exchange.upload = fields.upload;
  exchange.funds = fields.funds;
  exchange.passThrough = fields.passThrough;
  exchange.facts = fields.facts;
  exchange.options = fields.options;
  exchange.headers = fields.headers;
  exchange.clientAddress = fields.clientAddress;
  exchange.client = fields.client;
  exchange.snapshot = fields.snapshot;
  exchange.receivedAt = fields.receivedAt;
  exchange.receivedTick = fields.receivedTick;
  exchange.arrivedTick = fields.arrivedTick;
  exchange.trace = fields.trace;
  return exchange as unknown as Received;
}
/** `snapshot`: the configuration as it is for whoever asks. */
export function asIdentified(received: Received, snapshot: Snapshot, fields: Fields<Identified, Received>): Identified {
  const exchange = received as unknown as Exchange;
  exchange.snapshot = snapshot;
  exchange.principal = fields.principal;
  exchange.endUserId = fields.endUserId;
  exchange.tags = fields.tags;
  exchange.identifiedTick = fields.identifiedTick;
  exchange.recall = fields.recall;
  return received as Identified;
}
/** The same station, with a body that holds what was recalled. */
export function asRecalled(
  exchange: Identified,
  fields: Pick<Identified, 'recall' | 'body' | 'bytes' | 'facts' | 'client'>,
): Identified {
  return Object.assign(exchange, fields) as Identified;
}
export function asPlanned(identified: Identified, fields: Fields<Planned, Identified>): Planned {
  const exchange = identified as unknown as Exchange;
  exchange.model = fields.model;
  exchange.route = fields.route;
  exchange.plannedTick = fields.plannedTick;
  return identified as Planned;
}
/** The same station, with fewer deployments in reach. */
export function asRerouted(planned: Planned, route: Route): Planned {
  (planned as unknown as Exchange).route = route;
  return planned;
}
export function asAdmitted(planned: Planned, fields: Fields<Admitted, Planned>): Admitted {
  const exchange = planned as unknown as Exchange;
  exchange.reservation = fields.reservation;
  exchange.rateReservation = fields.rateReservation;
  exchange.cache = fields.cache;
  exchange.bound = fields.bound;
  exchange.clampedOutputTokens = fields.clampedOutputTokens;
  exchange.admittedTick = fields.admittedTick;
  return planned as Admitted;
}
export function asAnswered(admitted: Admitted, fields: Fields<Answered, Admitted>): Answered {
  (admitted as unknown as Exchange).reply = fields.reply;
  return admitted as Answered;
}
export function asSettled(answered: Answered, fields: Fields<Settled, Answered>): Settled {
  const exchange = answered as unknown as Exchange;
  exchange.outcome = fields.outcome;
  exchange.cost = fields.cost;
  exchange.record = fields.record;
  return answered as Settled;
}

/** Smaller ones are not worth parsing again. */
const keptBytesMax = 64 * 1024;
const settingLengthMax = 1_000;

/**
 * The request is on its way, and what it says is needed once more at most: for another attempt. A large body takes its
 * size once more as texts, and texts that outlive a young collection wait for a full one. Its bytes are kept.
 */
export function letGoOfBody(exchange: Received): void {
  const held = exchange as unknown as Exchange;
  const { bytes, parsed, upload, passThrough } = held;
  if (parsed === null || upload !== null || passThrough !== null || bytes!.length <= keptBytesMax) return;
  const settings: JsonObject = {};
  for (const [name, value] of Object.entries(parsed)) {
    if (typeof value === 'object' || (typeof value === 'string' && value.length > settingLengthMax)) continue;
    // Not by assignment: a member called __proto__ is one like any other.
    Object.defineProperty(settings, name, { value, enumerable: true });
  }
  held.settings = settings;
  held.parsed = null;
}

/** Lower-case header names to values, as node:http gives them. */
export type CallerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Whether the client is still there. */
export interface ClientPresence {
  readonly gone: boolean;
  /** Calls back once, at once if already gone. Only one listener at a time: the current attempt. */
  onGone(listener: (() => void) | null): void;
}

/** What the caller asked of the gateway itself, from gateway-only body fields and headers; never sent upstream. */
export interface RequestOptions {
  /** The id the caller gave this request (`x-litellm-call-id`); told back to it, while `id` stays unique. */
  readonly callId: string | null;
  readonly tags: readonly string[];
  readonly metadata: JsonObject;
  readonly sessionId: string | null;
  readonly traceId: string | null;
  /** Replaces the configured general fallbacks; an entry may carry overrides of body fields. */
  readonly fallbacks: readonly { readonly model: string; readonly overrides: JsonObject }[] | null;
  readonly fallbacksDisabled: boolean;
  readonly retries: number | null;
  /** Who waits for a deployment that rests, and in which order: the lowest first; null = nobody waits. */
  readonly priority?: number | null;
  readonly timeoutMs: number | null;
  readonly streamTimeoutMs: number | null;
  readonly cache: CacheControls;
  readonly mockResponse: string | null;
  /** Drills: pretend the first group failed in this way (`fallbacks`, `context_window`, `content_policy`, `rate_limit`). */
  readonly mockFailure: string | null;
  /** The row is kept, and nothing else is told of this request. */
  readonly noLog: boolean;
  /** What was asked and answered is left out wherever this request is told of. */
  readonly redactsContent: boolean;
  /** Reasoning as a part of the content; null = as the deployment says. */
  readonly mergesReasoning: boolean | null;
  /** Sinks that are not told, by the names that callbacks have. */
  readonly sinksLeftOut: readonly string[];
  readonly dropParams: boolean | null;
  /** On top of the deployment's. */
  readonly allowedParams: readonly string[];
  /** End user by gateway header or metadata, where it beats the body's own field. */
  readonly endUser: string | null;
  /** Connection fields the caller set (`api_key`, `api_base` …): refused unless the deployment allows them. */
  readonly connection: Readonly<Record<string, string>>;
}

export interface CacheControls {
  readonly noCache: boolean;
  readonly noStore: boolean;
  readonly useCache: boolean;
  readonly ttlMs: number | null;
  readonly ageMaxMs: number | null;
  readonly namespace: string | null;
}

/** Where a request may go. The call station walks it: attempts in the first group, then each fallback group. */
export interface Route {
  /** The group asked for. */
  readonly primary: RouteGroup;
  /** Groups to try after it, by why the one before failed; each is planned when its turn comes. */
  readonly fallbacks: readonly string[];
  readonly contextWindowFallbacks: readonly string[];
  readonly contentPolicyFallbacks: readonly string[];
  /** Every deployment that any of these may reach: the bound is taken over all of them. */
  readonly reachable: readonly Deployment[];
  /** Set when some must be passed over, also in the groups that come later. */
  readonly isTrusted?: (deployment: Deployment) => boolean;
}

export interface RouteGroup {
  readonly name: string;
  /** What the stars of a wildcard group matched. */
  readonly wildcardMatches: readonly string[] | null;
  /** Usable deployments of the group, not ordered: the strategy picks at each attempt. */
  readonly candidates: readonly Deployment[];
}

/**
 * What the client gets. Headers are a flat list name, value … A call that failed is a reply too: its body is the error
 * in the caller's dialect, and `outcome` carries the error and the attempts that led to it.
 */
export interface Reply {
  readonly status: number;
  readonly headers: readonly string[];
  /** More headers, as lines for the wire; empty until the reply is described. */
  readonly headerLines: Buffer;
  readonly body: Uint8Array | ByteSource;
  /** Who answered, as known when the headers leave (a stream's outcome comes later). */
  readonly origin: ReplyOrigin;
  /** Resolves exactly once, when the answer is over: for a whole body when it is ready, for a stream when it ended. Never rejects. */
  readonly outcome: Promise<Outcome>;
}

export interface ReplyOrigin {
  /** null when no provider answered: cache hit, failure before the first attempt. */
  readonly deployment: Deployment | null;
  readonly group: string | null;
  /** Attempts beyond the first one inside the group that answered. */
  readonly retries: number;
  /** How many fallback groups were entered. */
  readonly fallbacks: number;
  readonly cacheHit: boolean;
  /** Set when the response cache was consulted. */
  readonly cacheKey: string | null;
  /** Milliseconds spent waiting for providers so far. */
  readonly upstreamMs: number;
  /** The provider's own headers, lower-case names; null when no provider answered. */
  readonly providerHeaders: CallerHeaders | null;
  /** The error told to the client when the call failed. */
  readonly error: GatewayError | null;
}

/** A stream of bytes pushed into a sink, with back-pressure. */
export interface ByteSource {
  /** Starts the flow; called once. */
  start(sink: ByteSink): void;
  /** The sink can take more after it said stop. */
  resume(): void;
  /** The client left or the gateway gives up: stop the upstream at once. */
  cancel(): void;
  /** The gateway stops: the client is told in the stream, and the upstream is stopped. */
  interrupt(error: GatewayError): void;
}

export interface ByteSink {
  /** Returns false when the source must pause until `resume`. */
  write(chunk: Uint8Array): boolean;
  end(): void;
  /** The answer broke in a way that the wire format cannot tell: drop the connection. */
  destroy(): void;
}

export interface Outcome {
  readonly kind: 'success' | 'failure' | 'aborted';
  readonly usage: Usage;
  readonly attempts: readonly Attempt[];
  /** The deployment that answered, or the last one tried; null when none was (cache, refusal). */
  readonly deployment: Deployment | null;
  readonly group: string | null;
  readonly modelUsed: string | null;
  readonly cacheHit: boolean;
  readonly cacheKey: string | null;
  readonly error: GatewayError | null;
  readonly httpStatus: number;
  readonly finishReason: string | null;
  /** Unix milliseconds; null when no content was sent. */
  readonly firstTokenAt: number | null;
  readonly endedAt: number;
  /** Milliseconds spent waiting for providers. */
  readonly upstreamMs: number;
  /** True when a stream broke off after it had begun, and the provider did not say why: it may still be at work. */
  readonly brokeOff?: boolean;
  /** Cost of attempts before the last: whose outcome stayed unknown, at their hold; that another one continued, as seen. */
  readonly ambiguousCost: Nanodollars;
  readonly responseText: string | null;
}
