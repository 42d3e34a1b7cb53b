import { type DebugWish, isMeant } from '../../core/debug-wish.ts';
import type { CallerHeaders, Received } from '../../core/exchange.ts';
import type { Clock, Log, RecordSink } from '../../core/ports.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import { entryOf } from '../sinks/entry.ts';

const wishesMax = 100;
/** Headers that may be told; everything else could be a credential, and is named only. */
const plainHeaders =
  /^(user-agent|content-type|content-length|accept|accept-encoding|traceparent|x-stainless-.*|x-litellm-(call-id|trace-id|session-id|tags|timeout|stream-timeout|num-retries|customer-id|end-user-id))$/;

/** Tells requests in full that somebody wants to look at: who, when it passed which station, every attempt. Nothing of what was said. */
export class DebugWatch implements RecordSink {
  readonly #clock: Clock;
  /** Writes whatever the level is. */
  readonly #log: Log;
  #wishes: readonly DebugWish[] = [];

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** A later wish for the same takes the place of the earlier one; one that is over already takes it away. */
  wish(wish: DebugWish): void {
    const others = this.list().filter(({ by, value }) => by !== wish.by || value !== wish.value);
    this.#wishes = wish.until <= this.#clock.now() ? others : [...others, wish].slice(-wishesMax);
  }

  list(): DebugWish[] {
    const now = this.#clock.now();
    return this.#wishes.filter(({ until }) => until > now);
  }

  record(record: RequestRecord, journey: Received | null): void {
    if (this.#wishes.length === 0) return;
    const callId = journey?.options.callId ?? null;
    const now = this.#clock.now();
    if (!this.#wishes.some((wish) => wish.until > now && isMeant(wish, record, callId))) return;
    this.#log.info('request in full', storyOf(record, journey, this.#clock.tick()));
  }
}

function storyOf(record: RequestRecord, journey: Received | null, tick: number): Record<string, unknown> {
  const { trace, parameters, times, providerMs, teamAlias } = entryOf(record, journey, tick, false);
  const { requestText: _request, responseText: _response, metadata, id, ...row } = record;
  const since = (at: number | null) => (at === null ? null : Math.round((at - times.arrived) * 1_000) / 1_000);
  return {
    requestId: id,
    callId: journey?.options.callId ?? null,
    ...row,
    teamAlias,
    metadataNames: Object.keys(metadata),
    parameters,
    bodyBytes: journey?.bytes.length ?? null,
    headers: journey === null ? {} : shownHeaders(journey.headers),
    trace: trace === null ? null : { traceId: trace.traceId, parentSpanId: trace.parentSpanId, sampled: trace.sampled },
    providerMs,
    msSinceArrival: {
      received: since(times.received),
      identified: since(times.identified),
      planned: since(times.planned),
      admitted: since(times.admitted),
      ended: since(times.ended),
    },
  };
}

function shownHeaders(headers: CallerHeaders): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const name in headers)
    shown[name] = plainHeaders.test(name) ? String(headers[name]).slice(0, 256) : '[not shown]';
  return shown;
}
