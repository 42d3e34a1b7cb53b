import type { GatewayError } from '../core/errors.ts';
import type { Admitted, Received, Reply, ReplyOrigin } from '../core/exchange.ts';
import type { JsonObject } from '../core/json.ts';
import { scrub } from '../core/scrub.ts';
import { noUsage } from '../core/usage.ts';
import type { Arrival } from './arrival.ts';
import type { Gateway } from './gateway.ts';
import { beginRequest, type Start } from './receive.ts';
import { recordOfRefusal } from './record/request-row.ts';
import { tell } from './record.ts';
import { headerLinesOf } from './reply-headers.ts';

/** For the door: a request that cannot be served at all (body too large, shutting down …). */
export function refuse(gateway: Gateway, arrival: Arrival, error: GatewayError): Reply {
  return refused(gateway, arrival, beginRequest(gateway, arrival), null, error);
}

/**
 * The reply to a request that ended between two stations: the error in the caller's dialect, every claim and hold given
 * back, one row. What broke inside the gateway while money was held is charged the hold: nobody knows what was sent.
 */
export function refused(
  gateway: Gateway,
  arrival: Arrival,
  start: Start,
  journey: Received | null,
  error: GatewayError,
): Reply {
  const admitted = journey as Partial<Admitted> | null;
  const reservation = admitted?.reservation ?? null;
  const rateReservation = admitted?.rateReservation ?? null;
  const broken = error.code === 'internal';
  if (broken) logCause(gateway, start, error);
  const row = recordOfRefusal(gateway, {
    arrival,
    start,
    journey,
    error,
    status: broken ? (reservation === null ? 'failure' : 'unknown') : 'denied',
    cost: broken && reservation !== null ? reservation.bound : 0,
  });
  if (reservation === null) gateway.ledger.record(row);
  else gateway.ledger.settle(reservation, row);
  if (rateReservation !== null) gateway.limiter.settle(row.id, rateReservation, { inputTokens: 0, outputTokens: 0 });
  tell(gateway, row, journey);
  const dialect = gateway.dialects.get(arrival.matched.route.dialect);
  const callId = start.callId ?? start.id;
  const body = Buffer.from(JSON.stringify(dialect?.errors.encode(error, callId) ?? plainError(error)));
  return {
    status: error.status,
    headers: jsonHeaders,
    headerLines: headerLinesOf(gateway, { start, journey, origin: { ...noOrigin, error }, cost: null }),
    body,
    origin: { ...noOrigin, error },
    outcome: Promise.resolve({
      kind: 'failure',
      usage: noUsage,
      attempts: [],
      deployment: null,
      group: null,
      modelUsed: null,
      cacheHit: false,
      cacheKey: null,
      error,
      httpStatus: error.status,
      finishReason: null,
      firstTokenAt: null,
      endedAt: row.endedAt,
      upstreamMs: 0,
      ambiguousCost: 0,
      responseText: null,
    }),
  };
}

const jsonHeaders = ['content-type', 'application/json'] as const;

export const noOrigin: ReplyOrigin = Object.freeze({
  deployment: null,
  group: null,
  retries: 0,
  fallbacks: 0,
  cacheHit: false,
  cacheKey: null,
  upstreamMs: 0,
  providerHeaders: null,
  error: null,
});

/** For a path whose format this gateway was built without. */
function plainError(error: GatewayError): JsonObject {
  return { error: { message: error.message, type: error.type, param: null, code: String(error.status) } };
}

function logCause(gateway: Gateway, start: Start, error: GatewayError): void {
  const cause = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause);
  gateway.log.error('a request broke inside the gateway', {
    requestId: start.id,
    cause: scrub(cause, start.snapshot.secrets),
  });
}
