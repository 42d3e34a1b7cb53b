/*
 * W3C Trace Context (https://www.w3.org/TR/trace-context/), version 00. The ids of a request's spans follow from its own
 * id, so that nothing is drawn, kept or looked up: whoever knows the request knows its spans.
 */

/** The trace that a request belongs to. */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** The caller's span; null when the trace begins here. */
  readonly parentSpanId: string | null;
  /** Where this request's span ids come from; see `spanId`. */
  readonly seed: string;
  readonly sampled: boolean;
  /** The caller's `tracestate`, passed on. */
  readonly state: string | null;
}

export interface Traceparent {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** null for what is no valid `traceparent`; later versions are read as far as they are known. */
export function parseTraceparent(text: string): Traceparent | null {
  const found = form.exec(text.trim());
  if (found === null) return null;
  const [, version, traceId, spanId, flags, more] = found as unknown as [
    string,
    string,
    string,
    string,
    string,
    string?,
  ];
  if (version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The 32 hex digits of the UUID that a request id is, or ends with. */
export function hexOfRequestId(id: string): string {
  const uuid = id.slice(-36);
  return uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24);
}

/** Spans of one request, told apart by a number: 0 is the request itself, its attempts count from `attemptSpan`. */
export const attemptSpan = 32;

/** 16 hex digits: the seed with the number folded into its last byte. */
export function spanId(seed: string, number: number): string {
  if (number === 0) return seed;
  const low = (Number.parseInt(seed.slice(14, 16), 16) ^ (number & 0xff)).toString(16);
  return seed.slice(0, 14) + (low.length === 1 ? `0${low}` : low);
}

/** What a provider is told about the attempt it is asked by. */
export function traceparentOf(trace: TraceContext, spanNumber: number): string {
  return `00-${trace.traceId}-${spanId(trace.seed, spanNumber)}-${trace.sampled ? '01' : '00'}`;
}
