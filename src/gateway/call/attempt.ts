import type { StreamRelay } from '../../core/dialect.ts';
import type { GatewayError } from '../../core/errors.ts';
import type { Admitted, CallerHeaders } from '../../core/exchange.ts';
import type { Timer, TransportError, UpstreamExchange, UpstreamReceiver, UpstreamRequest } from '../../core/ports.ts';
import type { Secret } from '../../core/secret.ts';
import type { Usage } from '../../core/usage.ts';
import type { Gateway } from '../gateway.ts';
import type { ParallelSlot } from '../routing/parallel-slots.ts';
import { StreamedAnswer } from '../streams/streamed-answer.ts';
import { type Decompressor, decompressor } from './decompress.ts';
import { plainSecret, secretsIn, withoutEchoes } from './echoed-credentials.ts';
import { NearestDeadline } from './nearest-deadline.ts';
import { errorOfStatus, errorOfTransport, providerError, timeoutError } from './provider-error.ts';
import type { AttemptTimeouts } from './timeouts.ts';
import type { Target } from './translate.ts';

const answerBytesMaxDefault = 64 * 1024 * 1024;
const errorBytesMax = 64 * 1024;
/** How long an error's body may take once its status is known. */
const errorBodyMs = 5_000;
/** A complete stream whose connection stays open is closed after this. */
const lingerMs = 1_000;

export type AttemptEnd =
  | { readonly kind: 'whole'; readonly bytes: Buffer }
  /** Content has arrived: the answer may flow. Its end is told through `StreamedAnswer`. */
  | { readonly kind: 'stream'; readonly stream: StreamedAnswer }
  | AttemptFailure
  /** The client left. */
  | { readonly kind: 'gone' };

export interface AttemptFailure {
  readonly kind: 'failed';
  readonly error: GatewayError;
  /** The provider may have done, and billed, work that we have no answer of. */
  readonly ambiguous: boolean;
  /** A kept connection was just being closed by the provider: worth one try on a fresh one. */
  readonly staleConnection: boolean;
}

/** One try at one target, from sending to a whole body, the first content of a stream, or a failure. */
export class UpstreamAttempt implements UpstreamReceiver {
  readonly target: Target;
  readonly startedAt: number;
  readonly startedTick: number;
  status: number | null = null;
  headers: CallerHeaders = {};
  /** Where its deployment answers so many at once. */
  slot: ParallelSlot | null = null;
  readonly gateway: Gateway;
  readonly exchange: Admitted;
  readonly #timeouts: AttemptTimeouts;
  /** Monotonic milliseconds after which everything about this request is over. */
  readonly #callDeadline: number;
  readonly #relay: ((contentType: string) => StreamRelay) | null;
  readonly #authorization: readonly string[];
  #upstream: UpstreamExchange | null = null;
  #decompressor: Decompressor | null = null;
  #timer: Timer | null = null;
  /** When the timer fires, monotonic milliseconds. */
  #lookAt = 0;
  #resolve: ((end: AttemptEnd) => void) | null = null;
  #chunks: Buffer[] = [];
  #size = 0;
  #stream: StreamedAnswer | null = null;
  #firstByteSeen = false;
  /** Last sign of life that counts, monotonic milliseconds. */
  #aliveTick: number;
  #pausedByClient = false;
  #over = false;
  readonly #deadline = new NearestDeadline();

  /**
   * `relay` makes the way of a stream to the client; null when a whole answer was asked for. `authorization` are the
   * headers made for this call alone: a provider that repeats them is not repeated.
   */
  constructor(
    gateway: Gateway,
    exchange: Admitted,
    target: Target,
    timeouts: AttemptTimeouts,
    callDeadline: number,
    relay: ((contentType: string) => StreamRelay) | null,
    authorization: readonly string[],
  ) {
    this.gateway = gateway;
    this.exchange = exchange;
    this.target = target;
    this.#timeouts = timeouts;
    this.#callDeadline = callDeadline;
    this.#relay = relay;
    this.#authorization = authorization;
    this.startedAt = gateway.clock.now();
    this.startedTick = gateway.clock.tick();
    this.#aliveTick = this.startedTick;
  }

  run(request: UpstreamRequest): Promise<AttemptEnd> {
    const { promise, resolve } = Promise.withResolvers<AttemptEnd>();
    this.#resolve = resolve;
    this.exchange.client.onGone(() => this.#clientGone());
    if (this.#over) return promise;
    this.#upstream = this.gateway.transport.send(request, this);
    this.#watch();
    return promise;
  }

  /** What a stream has told of its usage so far. */
  get usageSeen(): Usage | undefined {
    return this.#stream?.relay.progress.usage;
  }

  // ── From the transport ────────────────────────────────────────────────────────────────────────────────────────────

  onHeaders(status: number, headers: CallerHeaders): void {
    if (this.#over) return;
    this.status = status;
    this.headers = withoutEchoes(headers, this.target.endpoint, this.#authorization);
    this.#aliveTick = this.gateway.clock.tick();
    const encoding = headers['content-encoding'];
    if (typeof encoding === 'string' && encoding !== '' && encoding !== 'identity') {
      this.#decompressor = decompressor(encoding, {
        onBytes: (chunk) => this.#bytes(chunk),
        onEnd: () => this.#ended(),
        onDamaged: () => this.#garbage(`the ${encoding} body is damaged`),
        onDrain: () => {
          if (!this.#pausedByClient) this.#upstream?.resume();
        },
      });
      if (this.#decompressor === null) this.#garbage(`the body is encoded as ${encoding.slice(0, 40)}`);
    }
    if (this.#relay !== null && status >= 200 && status < 300 && looksLikeStream(headers)) {
      const framing = this.target.endpoint.reframe?.(this.target.speaks) ?? null;
      this.#stream = new StreamedAnswer(this, this.#relay(contentTypeOf(headers)), framing);
    }
    this.#watch();
  }

  onBytes(chunk: Buffer): void {
    if (this.#decompressor === null) this.#bytes(chunk);
    else if (!this.#decompressor.write(chunk)) this.#upstream?.pause();
  }

  onEnd(): void {
    if (this.#decompressor === null) this.#ended();
    else this.#decompressor.end();
  }

  onError(error: TransportError): void {
    if (this.#over) return;
    const { provider } = this.target.deployment;
    const told = errorOfTransport(provider, error, this.secrets());
    if (this.#refusedAlready()) {
      // The verdict was in before the connection broke.
      this.#refused();
      return;
    }
    this.#fail(told, error.sent, error.reusedConnection && this.status === null);
  }

  // ── From the stream ───────────────────────────────────────────────────────────────────────────────────────────────

  /** A sign of life that means something. */
  alive(tick: number): void {
    this.#aliveTick = tick;
  }

  /** The first content is here: the client may have it. */
  commit(stream: StreamedAnswer): void {
    this.#end({ kind: 'stream', stream });
    this.#watch();
  }

  pause(): void {
    this.#pausedByClient = true;
    this.#upstream?.pause();
    this.#decompressor?.pause();
  }

  resume(): void {
    if (this.#pausedByClient) {
      this.#pausedByClient = false;
      this.#aliveTick = this.gateway.clock.tick();
      this.#watch();
    }
    this.#decompressor?.resume();
    this.#upstream?.resume();
  }

  /** The stream is complete; the provider closes it, or we do after a moment. */
  linger(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.exchange.client.onGone(null);
    this.#pausedByClient = false;
    this.#upstream?.resume();
    this.#timer = this.gateway.clock.setTimer(lingerMs, () => this.#upstream?.cancel());
  }

  /** Stops everything about this attempt at once. */
  stop(): void {
    this.#over = true;
    this.#timer?.cancel();
    this.#upstream?.cancel();
    this.#decompressor?.destroy();
    this.exchange.client.onGone(null);
  }

  /** Before the commit point the next target gets its turn; after it, the client is told in the stream. */
  fail(error: GatewayError): void {
    this.#fail(error, true, false);
  }

  /** The provider said so itself, inside the stream: nothing is uncertain about it. */
  refusedInStream(error: GatewayError): void {
    this.#fail(error, false, false);
  }

  // ── Inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #bytes(chunk: Buffer): void {
    if (this.#over) return;
    if (this.#stream !== null) {
      if (!this.#firstByteSeen) this.#sawFirstByte();
      this.#stream.push(chunk);
      return;
    }
    this.#aliveTick = this.gateway.clock.tick();
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#refusedAlready() && this.#size > errorBytesMax) this.#refused();
    else this.#requireShort();
  }

  #requireShort(): void {
    const max = this.exchange.snapshot.settings.answerBytesMax ?? answerBytesMaxDefault;
    if (this.#size > max) this.#garbage(`the answer is longer than ${max} bytes`);
  }

  /** From here on the shorter deadline between events counts. */
  #sawFirstByte(): void {
    this.#firstByteSeen = true;
    this.#aliveTick = this.gateway.clock.tick();
    this.#watch();
  }

  #ended(): void {
    if (this.#over) {
      this.#timer?.cancel();
      return;
    }
    if (this.#stream !== null) {
      this.#stream.upstreamEnded();
      return;
    }
    if (this.#refusedAlready()) {
      this.#refused();
      return;
    }
    const bytes = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks, this.#size);
    this.#over = true;
    this.#timer?.cancel();
    this.exchange.client.onGone(null);
    this.#end({ kind: 'whole', bytes });
  }

  /** The provider said no: its own words, or what can be said of them. */
  #refused(): void {
    const { provider } = this.target.deployment;
    const status = this.status as number;
    const facts = this.target.dialect.errors.decode(status, Buffer.concat(this.#chunks, this.#size));
    const now = this.gateway.clock.now();
    this.#fail(errorOfStatus(provider, status, this.headers, facts, this.secrets(), now), false, false);
  }

  #garbage(what: string): void {
    this.#fail(providerError('upstream_connection', this.target.deployment.provider, what, []), true, false);
  }

  #fail(error: GatewayError, ambiguous: boolean, staleConnection: boolean): void {
    if (this.#over) return;
    this.stop();
    if (this.#resolve === null) this.#stream?.broken(error, ambiguous);
    else this.#end({ kind: 'failed', error, ambiguous, staleConnection });
  }

  #clientGone(): void {
    if (this.#over) return;
    this.stop();
    if (this.#resolve === null) this.#stream?.abandoned();
    else this.#end({ kind: 'gone' });
  }

  #end(end: AttemptEnd): void {
    const resolve = this.#resolve;
    this.#resolve = null;
    resolve?.(end);
  }

  /** What no error may repeat. */
  secrets(): readonly Secret[] {
    const { snapshot, options } = this.exchange;
    const brought = Object.values(options.connection);
    if (this.#authorization.length === 0 && brought.length === 0) return snapshot.secrets;
    return [...snapshot.secrets, ...secretsIn(this.#authorization), ...brought.map(plainSecret)];
  }

  // ── Deadlines: one timer, set for the nearest one and looked at again when it fires ───────────────────────────────

  #watch(): void {
    if (this.#over) return;
    this.#findDeadline();
    const next = Math.min(this.#deadline.at, this.#stream?.heartbeatDue() ?? Number.POSITIVE_INFINITY);
    // A timer that is set for an earlier moment finds the later one when it looks.
    if (this.#timer !== null && this.#lookAt <= next) return;
    this.#timer?.cancel();
    this.#lookAt = next;
    const delayMs = Math.max(0, next - this.gateway.clock.tick());
    this.#timer = this.gateway.clock.setTimer(delayMs, () => this.#look());
  }

  #look(): void {
    this.#timer = null;
    if (this.#over) return;
    const tick = this.gateway.clock.tick();
    this.#findDeadline();
    if (tick >= this.#deadline.at) {
      const { provider } = this.target.deployment;
      if (this.#refusedAlready()) this.#refused();
      else this.#fail(timeoutError(provider, this.#deadline.missed, this.#deadline.afterMs), true, false);
      return;
    }
    this.#stream?.heartbeat(tick);
    this.#watch();
  }

  #findDeadline(): void {
    const { firstByteMs, idleMs, contentMs, attemptMs } = this.#timeouts;
    const start = this.startedTick;
    const deadline = this.#deadline;
    deadline.clear();
    deadline.consider(this.#callDeadline, 'no complete answer', this.#callDeadline - start);
    deadline.consider(start + attemptMs, 'no complete answer', attemptMs);
    if (this.#refusedAlready()) {
      deadline.consider(this.#aliveTick + errorBodyMs, 'no complete answer', errorBodyMs);
    } else if (this.#stream === null) {
      if (this.status === null) deadline.consider(start + firstByteMs, 'no answer', firstByteMs);
      else deadline.consider(this.#aliveTick + idleMs, 'the answer stalled', idleMs);
    } else {
      if (!this.#firstByteSeen) deadline.consider(start + firstByteMs, 'no first byte', firstByteMs);
      else if (!this.#pausedByClient) deadline.consider(this.#aliveTick + idleMs, 'the stream stalled', idleMs);
      if (!this.#stream.committed) deadline.consider(start + contentMs, 'no content', contentMs);
    }
  }

  #refusedAlready(): boolean {
    return this.status !== null && (this.status < 200 || this.status >= 300);
  }
}

function contentTypeOf(headers: CallerHeaders): string {
  const contentType = headers['content-type'];
  return typeof contentType === 'string' ? contentType : 'application/octet-stream';
}

/** A provider that answers a request for a stream with one JSON body is taken at its word. */
function looksLikeStream(headers: CallerHeaders): boolean {
  const contentType = headers['content-type'];
  if (typeof contentType !== 'string') return true;
  return !/json|html/i.test(contentType) || /ndjson|jsonl/i.test(contentType);
}
