import type { IncomingHttpHeaders } from 'node:http';

/** One request as it arrived, and what became of it. Times are milliseconds since 1970 with a fraction. */
export interface RecordedRequest {
  /** From 0, in order of arrival. */
  readonly index: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Names and values as they stood on the wire, alternating. */
  readonly rawHeaders: readonly string[];
  /** Number of the connection it came on, from 0: tells reuse from a fresh connection. */
  readonly connection: number;
  readonly body: Buffer;
  /** Undefined where the body is not JSON. */
  readonly json: unknown;
  readonly receivedAtMs: number;
  headersSentAtMs?: number;
  firstByteAtMs?: number;
  /** The answer, or the fault in its place, was delivered. */
  finishedAtMs?: number;
  /** The caller closed the connection before that. */
  abortedAtMs?: number;
  status?: number;
  eventsSent: number;
  bytesSent: number;
  /** Settles when the request is finished or aborted. */
  readonly ended: Promise<void>;
}

export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
