import type { CallerHeaders } from '../../../core/exchange.ts';
import type { Tracing } from '../../../core/ports.ts';
import type { OpenTelemetrySetting, SamplerSetting } from '../../../core/sink-settings.ts';
import { hexOfRequestId, parseTraceparent, type TraceContext } from '../../../core/trace-context.ts';

/** Which trace a request belongs to. The settings may change while the gateway runs; null = nobody wants spans. */
export function createTracing(setting: () => OpenTelemetrySetting | null): Tracing {
  return {
    begin(headers, requestId) {
      const now = setting();
      return now === null ? null : traceOf(now, headers, requestId);
    },
  };
}

function traceOf(
  { sampler, ignoresCaller }: OpenTelemetrySetting,
  headers: CallerHeaders,
  requestId: string,
): TraceContext {
  const hex = hexOfRequestId(requestId);
  const seed = hex.slice(16);
  const written = ignoresCaller ? undefined : headers.traceparent;
  const caller = typeof written === 'string' ? parseTraceparent(written) : null;
  if (caller === null) {
    return { traceId: hex, parentSpanId: null, seed, sampled: isSampled(sampler, hex), state: null };
  }
  const { traceId, spanId } = caller;
  const sampled = sampler.followsCaller ? caller.sampled : isSampled(sampler, traceId);
  const state = headers.tracestate;
  return {
    traceId,
    parentSpanId: spanId,
    seed,
    sampled,
    state: typeof state === 'string' ? state.slice(0, 512) : null,
  };
}

/** The same answer for the same trace in every process: its last seven bytes against the share. */
function isSampled({ ratio }: SamplerSetting, traceId: string): boolean {
  if (ratio >= 1) return true;
  return Number.parseInt(traceId.slice(18), 16) < ratio * 2 ** 56;
}
