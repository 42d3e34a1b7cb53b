import type { Admitted } from '../../core/exchange.ts';
import type { Deployment } from '../../core/route.ts';

/** How long one attempt may take, phase by phase, in milliseconds. */
export interface AttemptTimeouts {
  readonly connectMs: number;
  /** From sending to the first byte of a stream's body, or to the headers of a whole answer. */
  readonly firstByteMs: number;
  /** Between two events that mean something; comments and pings do not. */
  readonly idleMs: number;
  /** From sending to the first content that the client would see. */
  readonly contentMs: number;
  /** Over the whole attempt. */
  readonly attemptMs: number;
}

/**
 * Request over deployment over configuration. A caller's or a deployment's timeout is meant for one try: when it
 * passes, the next target gets its turn. For a stream it is the time to the first content, so that a long answer that
 * flows is never cut by it. Only the configured total stands over everything.
 */
export function timeoutsFor(exchange: Admitted, deployment: Deployment): AttemptTimeouts {
  const configured = exchange.snapshot.settings.timeouts;
  const own = deployment.timeouts;
  const { timeoutMs, streamTimeoutMs } = exchange.options;
  const connectMs = own.connectMs ?? configured.connectMs;
  const firstByteMs = own.firstByteMs ?? configured.firstByteMs;
  const idleMs = own.idleMs ?? configured.idleMs;
  if (!exchange.facts.stream) {
    const attemptMs = timeoutMs ?? own.attemptMs ?? own.totalMs ?? configured.attemptMs ?? configured.totalMs;
    return { connectMs, firstByteMs: timeoutMs ?? firstByteMs, idleMs, contentMs: attemptMs, attemptMs };
  }
  const contentMs =
    streamTimeoutMs ??
    timeoutMs ??
    own.streamTotalMs ??
    own.attemptMs ??
    own.totalMs ??
    configured.streamTotalMs ??
    configured.attemptMs ??
    configured.totalMs;
  return {
    connectMs,
    firstByteMs: streamTimeoutMs ?? timeoutMs ?? firstByteMs,
    idleMs,
    contentMs,
    attemptMs: Number.POSITIVE_INFINITY,
  };
}
