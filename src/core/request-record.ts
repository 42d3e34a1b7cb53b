import type { JsonObject } from './json.ts';
import type { Nanodollars } from './money.ts';
import type { DialectName, Operation } from './operation.ts';
import type { Usage } from './usage.ts';

/** One try at one target, as it went. */
export interface Attempt {
  readonly deploymentId: string;
  readonly group: string;
  readonly provider: string;
  readonly model: string;
  readonly startedAt: number;
  readonly durationMs: number;
  /** HTTP status, or null when there was none. */
  readonly status: number | null;
  /** `success`, or the error code that ended it. */
  readonly result: string;
  /** True when the provider may have begun work and billed it although we saw no answer. */
  readonly ambiguous: boolean;
  /** What was held for this attempt and is charged if it stays ambiguous. */
  readonly charged: Nanodollars;
}

export type RequestStatus = 'success' | 'failure' | 'denied' | 'aborted' | 'unknown';

/** The row every request leaves: exactly one, id = request id, a second write changes nothing. Times are unix milliseconds. */
export interface RequestRecord {
  readonly id: string;
  readonly operation: Operation;
  readonly dialect: DialectName;
  readonly path: string;
  readonly status: RequestStatus;
  /** Status the client got (499 when it left first). */
  readonly httpStatus: number;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly keyId: string | null;
  readonly keyAlias: string | null;
  readonly userId: string | null;
  readonly teamId: string | null;
  readonly organizationId: string | null;
  readonly endUserId: string | null;
  readonly tags: readonly string[];
  readonly sessionId: string | null;
  readonly traceId: string | null;
  readonly clientAddress: string | null;
  readonly modelAsked: string | null;
  readonly modelGroup: string | null;
  readonly deploymentId: string | null;
  readonly provider: string | null;
  readonly modelUsed: string | null;
  readonly apiBase: string | null;
  readonly stream: boolean;
  readonly cacheHit: boolean;
  readonly cacheKey: string | null;
  readonly usage: Usage;
  readonly cost: Nanodollars;
  /** What was held at admission: the upper bound of the cost. */
  readonly bound: Nanodollars;
  readonly priceSource: string | null;
  readonly startedAt: number;
  /** First content byte to the client; null when there was none. */
  readonly firstTokenAt: number | null;
  readonly endedAt: number;
  /** Milliseconds until it was admitted, where it came that far. */
  readonly admittedMs?: number | undefined;
  /** Gateway's own share of the time, in milliseconds. */
  readonly overheadMs: number;
  readonly attempts: readonly Attempt[];
  readonly finishReason: string | null;
  readonly metadata: JsonObject;
  /** Present only when the operator turned content logging on. */
  readonly requestText: string | null;
  readonly responseText: string | null;
}

/** What the gateway's own checks of deployments are tagged with: they are nobody's traffic. */
export const healthCheckTag = 'health-check';

/** What a deployment's `silent_model` is asked beside the caller's own request is tagged with. */
export const silentModelTag = 'silent-model';
