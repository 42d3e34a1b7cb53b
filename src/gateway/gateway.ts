import type { BatchDesk, BatchDeskName } from '../core/batch-desk.ts';
import type { Dialect } from '../core/dialect.ts';
import type { GatewayError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { DialectName } from '../core/operation.ts';
import type {
  Chance,
  Clock,
  IdempotencyStore,
  Ledger,
  Limiter,
  Log,
  MediaFetcher,
  Outside,
  PrincipalSource,
  RecordSink,
  ResponseCache,
  SocketTransport,
  Tracing,
  Transport,
} from '../core/ports.ts';
import type { DescribeReply } from '../core/reply-facts.ts';
import type { Deployment, Snapshot } from '../core/route.ts';
import type { BatchRuns } from './batches/runs.ts';
import type { AnswerIds } from './kept/answer-ids.ts';
import type { BackgroundWork } from './kept/background.ts';
import type { Shelf } from './kept/shelf.ts';
import type { ClientSecrets } from './session/client-secrets.ts';

/** Everything the journey needs from outside, handed in once by the composition root. */
export interface Gateway {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly transport: Transport;
  readonly sockets: SocketTransport;
  readonly outside: Outside;
  readonly ledger: Ledger;
  readonly limiter: Limiter;
  readonly cache: ResponseCache;
  readonly principals: PrincipalSource;
  /** null = idempotency keys mean nothing. */
  readonly idempotency: IdempotencyStore | null;
  /** Counts with a real tokenizer, off the event loop and within a deadline. */
  readonly tokens: { count(text: string, model: string): Promise<{ readonly tokens: number }> };
  /** What callers come back to; null = nothing is kept. */
  readonly kept: Shelf | null;
  readonly answerIds: AnswerIds;
  readonly clientSecrets: ClientSecrets;
  readonly background: BackgroundWork;
  /** null = nothing is kept, so no work can wait. */
  readonly batches: BatchRuns | null;
  readonly dialects: ReadonlyMap<DialectName, Dialect>;
  readonly batchDesks: ReadonlyMap<BatchDeskName, BatchDesk>;
  readonly health: Health;
  /** Deployments that broke an upper bound: they serve nobody who has a hard budget. */
  readonly suspended: { readonly size: number; has(deploymentId: string): boolean };
  readonly sinks: readonly RecordSink[];
  readonly tracing: Tracing;
  readonly media: MediaFetcher;
  readonly log: Log;
  /** Writes what is known about an answer into headers, under the names that callers look for. */
  readonly describeReply: DescribeReply;
  /** The configuration as it is for a key with `router_settings`; the same one for the same two. */
  ownRouting(snapshot: Snapshot, settings: JsonObject): Snapshot;
  /** The configuration in force now; a request keeps the one it began under. */
  snapshot(): Snapshot;
}

/**
 * How each deployment is doing, by id, so that it outlives a configuration swap: calls in flight, latencies, tokens and
 * requests of the running minute, failures, cooldowns. All in memory; never throws.
 */
export interface Health {
  /** An attempt leaves. */
  started(deployment: Deployment): void;
  /** An attempt ended well. `firstTokenMs` is null for whole answers. */
  succeeded(deployment: Deployment, sample: LatencySample): void;
  /** An attempt failed; decides whether the deployment cools down. `groupSize` = usable deployments of its group. */
  failed(deployment: Deployment, error: GatewayError, snapshot: Snapshot, groupSize: number): void;
  /** An attempt ended with nobody at fault (client left). */
  released(deployment: Deployment): void;
  isCoolingDown(deployment: Deployment): boolean;
  /** False when none of all deployments cools down. */
  someRest(): boolean;
  /** A check of the deployment came to its end. */
  checked(deployment: Deployment, healthy: boolean, status: number | null): void;
  state(deployment: Deployment): DeploymentState;
}

export interface LatencySample {
  readonly totalMs: number;
  readonly firstTokenMs: number | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface DeploymentFailure {
  /** Unix milliseconds. */
  readonly at: number;
  readonly status: number;
  readonly message: string;
  /** `connection refused`, `timed out`, `answered 503` …: nothing of the provider's own words. */
  readonly reason: string;
}

export interface DeploymentState {
  readonly inFlight: number;
  /** Unix milliseconds; null when it is not cooling down. */
  readonly coolingDownUntil: number | null;
  /** Milliseconds per output token, decaying mean; null when never used. */
  readonly msPerOutputToken: number | null;
  readonly firstTokenMs: number | null;
  readonly requestsThisMinute: number;
  readonly tokensThisMinute: number;
  readonly outputTokensThisMinute: number;
  readonly failuresThisMinute: number;
  readonly lastError: DeploymentFailure | null;
  readonly lastSuccessAt: number | null;
  /** The last check that was made of it, beside what requests show. */
  readonly lastCheck: { readonly at: number; readonly healthy: boolean; readonly status: number | null } | null;
}
