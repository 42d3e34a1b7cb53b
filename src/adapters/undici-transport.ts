import diagnostics from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { Dispatcher } from 'undici';
// Not the package's index: that brings fetch, web sockets and caches (15 MB of memory, 100 ms of starting).
import Pool from 'undici/lib/dispatcher/pool.js';
import { type EgressSettings, plainEgress } from '../core/egress.ts';
import type { Transport, TransportError, UpstreamExchange, UpstreamReceiver, UpstreamRequest } from '../core/ports.ts';
import { tlsOptions } from './egress/tls-options.ts';
import { transportErrorOf } from './transport-error.ts';

/** Below the idle time of common model servers (uvicorn and Node close after 5 s), so that we close first. */
const keepAliveMs = 4_000;
const keepAliveMsMax = 120_000;
/** A read takes up to 64 KiB; with more than this unread there is no further one, or every slow client would keep two of them. */
const connecting = { allowH2: false, highWaterMark: 16 * 1024 } as const;
/** Origins with a pool of their own; the oldest is let go beyond that (only caller-set addresses can get this far). */
const poolsMax = 2_000;

/** HTTP/1.1 to providers: pooled per origin, no redirects, no timeouts of its own but the one for connecting. */
export function undiciTransport(egress: EgressSettings = plainEgress): Transport {
  return new UndiciTransport(tlsOptions(egress));
}

type Tls = ReturnType<typeof tlsOptions>;

class UndiciTransport implements Transport {
  readonly #kept: PoolSet;
  /** No keep-alive: every request opens its own connection. */
  readonly #fresh: PoolSet;
  #closing: Promise<unknown> | null = null;

  constructor(tls: Tls) {
    this.#kept = new PoolSet(1, tls);
    this.#fresh = new PoolSet(0, tls);
  }

  send(request: UpstreamRequest, receiver: UpstreamReceiver): UpstreamExchange {
    const exchange = new UndiciExchange(receiver);
    if (this.#closing !== null) {
      exchange.refuse({
        kind: 'cancelled',
        message: 'the gateway is shutting down',
        sent: false,
        reusedConnection: false,
      });
      return exchange;
    }
    try {
      const pools = request.freshConnection ? this.#fresh : this.#kept;
      pools.at(request.origin, request.connectTimeoutMs).dispatch(
        {
          path: request.path,
          method: request.method,
          // undici only reads the list.
          headers: request.headers as string[],
          // Anything that can be iterated is a stream to it.
          body: request.body as Uint8Array | null,
        },
        exchange,
      );
    } catch (cause) {
      exchange.refuse(transportErrorOf(cause, false, false));
    }
    exchange.begun = true;
    return exchange;
  }

  close(): Promise<void> {
    this.#closing ??= Promise.all([this.#kept.close(), this.#fresh.close()]);
    return this.#closing.then(() => undefined);
  }
}

/** Pools by connect timeout and origin. */
class PoolSet {
  readonly #byTimeout = new Map<number, Map<string, Pool>>();
  readonly #pipelining: number;
  readonly #tls: Tls;
  #count = 0;

  constructor(pipelining: number, tls: Tls) {
    this.#pipelining = pipelining;
    this.#tls = tls;
  }

  at(origin: string, connectTimeoutMs: number): Pool {
    const known = this.#byTimeout.get(connectTimeoutMs)?.get(origin);
    return known ?? this.#open(origin, connectTimeoutMs);
  }

  #open(origin: string, connectTimeoutMs: number): Pool {
    const pool = new Pool(origin, {
      pipelining: this.#pipelining,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMsMax,
      keepAliveTimeoutThreshold: 1_000,
      // The attempt watches its own deadlines.
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2: false,
      connect: { ...connecting, timeout: connectTimeoutMs, ...this.#tls },
    });
    let byOrigin = this.#byTimeout.get(connectTimeoutMs);
    if (byOrigin === undefined) {
      byOrigin = new Map();
      this.#byTimeout.set(connectTimeoutMs, byOrigin);
    }
    byOrigin.set(origin, pool);
    this.#count += 1;
    if (this.#count > poolsMax) this.#closeOldest();
    return pool;
  }

  #closeOldest(): void {
    for (const byOrigin of this.#byTimeout.values()) {
      for (const [origin, pool] of byOrigin) {
        byOrigin.delete(origin);
        this.#count -= 1;
        void pool.close();
        return;
      }
    }
  }

  close(): Promise<unknown> {
    const closing: Promise<void>[] = [];
    for (const byOrigin of this.#byTimeout.values()) {
      for (const pool of byOrigin.values()) closing.push(pool.destroy());
      byOrigin.clear();
    }
    return Promise.all(closing);
  }
}

/** One request on its way: undici's handler and the caller's grip on it, in one object. */
class UndiciExchange implements Dispatcher.DispatchHandler, UpstreamExchange {
  #receiver: UpstreamReceiver | null;
  #controller: Dispatcher.DispatchController | null = null;
  #paused = false;
  #answered = false;
  /** False until `send` has returned: errors found before that are told afterwards. */
  begun = false;
  reusedConnection = false;

  constructor(receiver: UpstreamReceiver) {
    this.#receiver = receiver;
  }

  pause(): void {
    this.#paused = true;
    this.#controller?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#controller?.resume();
  }

  cancel(): void {
    if (this.#receiver === null) return;
    this.#receiver = null;
    this.#controller?.abort(cancelled);
  }

  /** Ends the exchange with an error, never inside `send`. */
  refuse(error: TransportError): void {
    const receiver = this.#receiver;
    if (receiver === null) return;
    if (this.begun) {
      this.#receiver = null;
      receiver.onError(error);
      return;
    }
    queueMicrotask(() => {
      if (this.#receiver === null) return;
      this.#receiver = null;
      receiver.onError(error);
    });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#receiver === null) {
      controller.abort(cancelled);
      return;
    }
    this.#controller = controller;
    if (this.#paused) controller.pause();
    starting = this;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // Cut from the first piece that was read, which they would keep as long as the answer takes.
    controller.rawHeaders = null;
    if (status < 200) return;
    this.#answered = true;
    this.#receiver?.onHeaders(status, headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#receiver?.onBytes(chunk);
  }

  onResponseEnd(): void {
    const receiver = this.#receiver;
    this.#receiver = null;
    receiver?.onEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    const sent = this.#controller !== null;
    this.refuse(transportErrorOf(cause, sent, sent && this.reusedConnection && !this.#answered));
  }
}

const cancelled = new Error('cancelled');

/*
 * undici does not tell a handler which connection it was given. It publishes the socket right after onRequestStart, in
 * the same synchronous step, so the exchange that is starting now is the one whose headers are being written.
 */
let starting: UndiciExchange | null = null;
const usedSockets = new WeakSet<Socket>();

diagnostics.subscribe('undici:client:sendHeaders', (message) => {
  const exchange = starting;
  if (exchange === null) return;
  starting = null;
  const { socket } = message as { socket: Socket };
  if (usedSockets.has(socket)) exchange.reusedConnection = true;
  else usedSockets.add(socket);
});
