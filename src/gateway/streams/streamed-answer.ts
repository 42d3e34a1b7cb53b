import type { StreamRelay } from '../../core/dialect.ts';
import { asGatewayError, GatewayError } from '../../core/errors.ts';
import type { ByteSink, ByteSource } from '../../core/exchange.ts';
import type { StreamFraming } from '../../core/provider.ts';
import type { UpstreamAttempt } from '../call/attempt.ts';
import { errorOfEvent, providerError } from '../call/provider-error.ts';

/** Held back before the first content, and before the client takes the first byte; more than that pauses the provider. */
const heldBytesMax = 64 * 1024;

export interface StreamEnd {
  readonly kind: 'success' | 'failure' | 'aborted';
  readonly error: GatewayError | null;
  /** It broke, and not by the provider's own word. */
  readonly brokeOff?: boolean;
}

/**
 * A stream on its way from provider to client, pushed as it comes. Everything before the first content is held back, so
 * that a failure up to there can still be made good elsewhere. After it there is no second attempt: what breaks ends
 * with an error event in the caller's dialect.
 */
export class StreamedAnswer implements ByteSource {
  readonly relay: StreamRelay;
  readonly #framing: StreamFraming | null;
  committed = false;
  /** Monotonic milliseconds of the first content; null while there was none. */
  firstContentTick: number | null = null;
  readonly attempt: UpstreamAttempt;
  /** Sees the bytes the client sees, when somebody wants to keep them. */
  tap: ((chunk: Uint8Array) => void) | null = null;
  /** Asked when the stream broke after its commit: true when somebody else goes on with it. */
  handOver: ((error: GatewayError) => boolean) | null = null;
  handedOver = false;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #sink: ByteSink | null = null;
  #over = false;
  /** It broke where nothing can be told: the client must not take it for whole. */
  #isCut = false;
  #end: StreamEnd | null = null;
  #onOver: ((end: StreamEnd) => void) | null = null;
  #lastWriteTick: number;
  #events = 0;

  /** `framing` for a provider that frames the dialect's stream in its own way. */
  constructor(attempt: UpstreamAttempt, relay: StreamRelay, framing: StreamFraming | null = null) {
    this.#framing = framing;
    this.attempt = attempt;
    this.relay = relay;
    this.#lastWriteTick = attempt.startedTick;
  }

  // ── From the provider ─────────────────────────────────────────────────────────────────────────────────────────────

  push(chunk: Uint8Array): void {
    if (this.#over) return;
    let out: Uint8Array | null;
    try {
      const own = this.#framing === null ? chunk : this.#framing.push(chunk);
      if (own === null) return;
      out = this.relay.push(own);
    } catch (cause) {
      this.attempt.fail(this.#unreadable(cause));
      return;
    }
    this.#advance(out);
  }

  /** The provider closed: complete only if the format said so. */
  upstreamEnded(): void {
    if (this.#over) return;
    let out: Uint8Array | null;
    try {
      out = this.relay.end();
    } catch (cause) {
      this.attempt.fail(this.#unreadable(cause));
      return;
    }
    this.#advance(out);
    if (this.#over || this.relay.progress.ending !== 'open') return;
    const { provider } = this.attempt.target.deployment;
    const what =
      this.#heldBytes === 0 && !this.committed ? 'the stream was empty' : 'the stream ended before it was complete';
    this.attempt.fail(providerError('upstream_connection', provider, what, []));
  }

  #advance(out: Uint8Array | null): void {
    const { progress } = this.relay;
    if (progress.ending === 'error') {
      const { provider } = this.attempt.target.deployment;
      const facts = progress.error ?? {
        message: undefined,
        type: undefined,
        code: undefined,
        param: undefined,
        kind: undefined,
        fields: undefined,
        status: undefined,
      };
      if (out !== null && this.committed) this.#deliver(out);
      this.attempt.refusedInStream(errorOfEvent(provider, facts, this.attempt.secrets()));
      return;
    }
    const tick = this.attempt.gateway.clock.tick();
    if (progress.events !== this.#events) {
      this.#events = progress.events;
      this.attempt.alive(tick);
    }
    if (progress.contentStarted) this.firstContentTick ??= tick;
    if (out !== null) this.#deliver(out);
    const complete = progress.ending === 'complete';
    if (!this.committed && (progress.contentStarted || complete || this.#heldBytes > heldBytesMax)) {
      this.committed = true;
      this.attempt.commit(this);
    }
    if (complete) {
      this.attempt.linger();
      this.#finish({ kind: 'success', error: null });
    }
  }

  #deliver(chunk: Uint8Array): void {
    if (this.tap !== null) this.tap(chunk);
    this.#lastWriteTick = this.attempt.gateway.clock.tick();
    if (this.#sink !== null) {
      if (!this.#sink.write(chunk)) this.attempt.pause();
      return;
    }
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.committed && this.#heldBytes > heldBytesMax) this.attempt.pause();
  }

  // ── From the attempt ──────────────────────────────────────────────────────────────────────────────────────────────

  /** The stream broke after its commit point. */
  broken(error: GatewayError, brokeOff: boolean): void {
    if (this.#over) return;
    if (this.handOver?.(error)) {
      this.handedOver = true;
      this.#sink = null;
      this.#finish({ kind: 'failure', error });
      return;
    }
    const { exchange } = this.attempt;
    if (this.relay.rawContentType === undefined) {
      this.#deliver(exchange.dialect.errors.streamEvent(error, exchange.id));
    } else this.#isCut = true;
    this.#finish({ kind: 'failure', error, brokeOff });
  }

  /** The client left. */
  abandoned(): void {
    this.#finish({ kind: 'aborted', error: null });
  }

  /** Monotonic milliseconds at which a silent client must hear something; undefined when nothing is to be said. */
  heartbeatDue(): number | undefined {
    const { exchange } = this.attempt;
    if (exchange.dialect.heartbeat === null || !this.committed) return undefined;
    return this.#lastWriteTick + exchange.snapshot.settings.heartbeatMs;
  }

  heartbeat(tick: number): void {
    const due = this.heartbeatDue();
    const { heartbeat } = this.attempt.exchange.dialect;
    if (due === undefined || heartbeat === null || tick < due || this.#sink === null || this.#over) return;
    this.#lastWriteTick = tick;
    this.#sink.write(heartbeat);
  }

  #finish(end: StreamEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#end = end;
    this.#close();
    this.#onOver?.(end);
  }

  #close(): void {
    if (this.#isCut) this.#sink?.destroy();
    else this.#sink?.end();
  }

  #unreadable(cause: unknown): GatewayError {
    if (cause instanceof GatewayError) {
      return providerError(cause.code, this.attempt.target.deployment.provider, cause.message, []);
    }
    return asGatewayError(cause);
  }

  // ── From the call that takes it at its commit ─────────────────────────────────────────────────────────────────────

  /** `onOver` is called once, at once when the stream is over already. */
  takenBy(onOver: (end: StreamEnd) => void): void {
    this.#onOver = onOver;
    if (this.#end !== null) onOver(this.#end);
  }

  /** What waits for the client to take it. */
  held(): readonly Uint8Array[] {
    return this.#held;
  }

  // ── From the client ───────────────────────────────────────────────────────────────────────────────────────────────

  start(sink: ByteSink): void {
    this.#sink = sink;
    let more = true;
    for (const chunk of this.#held) more = sink.write(chunk);
    this.#held = [];
    this.#heldBytes = 0;
    if (this.#over) this.#close();
    else if (more) this.attempt.resume();
    else this.attempt.pause();
  }

  resume(): void {
    if (!this.#over) this.attempt.resume();
  }

  interrupt(error: GatewayError): void {
    if (!this.#over) this.attempt.fail(error);
  }

  cancel(): void {
    if (this.#over) return;
    this.attempt.stop();
    this.abandoned();
  }
}
