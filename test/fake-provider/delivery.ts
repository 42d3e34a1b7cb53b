import type { ServerResponse } from 'node:http';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { nowMs, type RecordedRequest } from './record.ts';
import { commentHeartbeat, type Moment, type Script, type Stall } from './script.ts';

/** Thrown where a delivery ends before its answer does: by the script's fault or because the caller left. */
export class DeliveryEnded extends Error {
  readonly reason: 'fault' | 'caller-left';

  constructor(reason: 'fault' | 'caller-left') {
    super(reason);
    this.reason = reason;
  }
}

/** Lets the last bytes reach the caller before a reset throws away what is still on the way. */
const settleBeforeResetMs = 5;

/**
 * Writes one answer the way its script says: delays, write boundaries, stalls, resets and ends at an exact byte or
 * event. Waits for a slow reader, and throws DeliveryEnded as soon as the caller is gone.
 */
export class Delivery {
  readonly #response: ServerResponse;
  readonly #record: RecordedRequest;
  readonly #script: Script;
  readonly #callerLeft: AbortSignal;
  readonly #boundaries: readonly number[];
  #isStalled = false;

  constructor(response: ServerResponse, record: RecordedRequest, script: Script, callerLeft: AbortSignal) {
    this.#response = response;
    this.#record = record;
    this.#script = script;
    this.#callerLeft = callerLeft;
    this.#boundaries = boundariesOf(script);
  }

  async open(status: number, headers: Readonly<Record<string, string | number>>): Promise<void> {
    const { delayBeforeHeadersMs, delayBeforeFirstByteMs, framing } = this.#script;
    await this.#pause(delayBeforeHeadersMs);
    await this.#faultsAt((moment) => moment === 'before-headers');
    if (framing === 'close') {
      this.#response.useChunkedEncodingByDefault = false;
      this.#response.shouldKeepAlive = false;
    }
    this.#response.writeHead(status, headers);
    this.#response.flushHeaders();
    this.#record.status = status;
    this.#record.headersSentAtMs = nowMs();
    await this.#pause(delayBeforeFirstByteMs);
  }

  /** Called before each event; the body of an answer that is not a stream is event 0. */
  async beforeEvent(index: number): Promise<void> {
    if (index > 0) await this.#pause(this.#script.delayBetweenEventsMs);
    await this.#faultsAt((moment) => typeof moment === 'object' && 'event' in moment && moment.event === index);
  }

  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      const position = this.#record.bytesSent;
      await this.#faultsAt((moment) => typeof moment === 'object' && 'byte' in moment && moment.byte === position);
      const size = Math.min(rest.length, this.#nextBoundary(position) - position);
      await this.#send(rest.subarray(0, size), size < rest.length || this.#script.cuts !== undefined);
      rest = rest.subarray(size);
    }
  }

  async end(): Promise<void> {
    const position = this.#record.bytesSent;
    await this.#faultsAt((moment) => typeof moment === 'object' && 'byte' in moment && moment.byte === position);
    this.#throwIfGone();
    this.#response.end();
    this.#record.finishedAtMs = nowMs();
  }

  #nextBoundary(position: number): number {
    const { cuts } = this.#script;
    let next = typeof cuts === 'number' ? position + cuts : Number.POSITIVE_INFINITY;
    for (const boundary of this.#boundaries) {
      if (boundary > position) {
        next = Math.min(next, boundary);
        break;
      }
    }
    return next;
  }

  /** `alone` keeps a write from being joined with the next one on the way to the wire. */
  async #send(bytes: Uint8Array, alone: boolean): Promise<void> {
    this.#throwIfGone();
    const isAccepted = this.#response.write(bytes);
    this.#record.firstByteAtMs ??= nowMs();
    this.#record.bytesSent += bytes.length;
    if (!isAccepted && this.#response.writableNeedDrain) await this.#untilDrained();
    if (alone) await setImmediate();
  }

  async #untilDrained(): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#response.off('drain', done);
        this.#callerLeft.removeEventListener('abort', done);
        resolve();
      };
      this.#response.on('drain', done);
      this.#callerLeft.addEventListener('abort', done);
      if (this.#callerLeft.aborted) done();
    });
    this.#throwIfGone();
  }

  async #faultsAt(isNow: (moment: Moment) => boolean): Promise<void> {
    const { reset, fin, stall } = this.#script;
    if (stall !== undefined && !this.#isStalled && isNow(stall.at)) await this.#stall(stall);
    if (reset !== undefined && isNow(reset)) {
      await this.#pause(settleBeforeResetMs);
      this.#finishWithFault();
      this.#response.socket?.resetAndDestroy();
      throw new DeliveryEnded('fault');
    }
    if (fin !== undefined && isNow(fin)) {
      this.#finishWithFault();
      this.#response.socket?.destroySoon();
      throw new DeliveryEnded('fault');
    }
  }

  async #stall(stall: Stall): Promise<void> {
    this.#isStalled = true;
    const { heartbeatEveryMs, heartbeat = commentHeartbeat, forMs } = stall;
    const beat =
      heartbeatEveryMs === undefined || stall.at === 'before-headers'
        ? undefined
        : setInterval(() => this.#response.write(heartbeat), heartbeatEveryMs);
    try {
      await this.#pause(forMs ?? 2 ** 31 - 1);
    } finally {
      clearInterval(beat);
    }
  }

  #finishWithFault(): void {
    this.#throwIfGone();
    this.#record.finishedAtMs = nowMs();
  }

  async #pause(ms: number | undefined): Promise<void> {
    if (ms !== undefined && ms > 0) await sleep(ms, undefined, { signal: this.#callerLeft }).catch(() => undefined);
    this.#throwIfGone();
  }

  #throwIfGone(): void {
    if (this.#callerLeft.aborted) throw new DeliveryEnded('caller-left');
  }
}

/** Every offset at which a write must end: the script's cuts and the bytes at which something happens. */
function boundariesOf(script: Script): number[] {
  const moments = [script.reset, script.fin, script.stall?.at];
  const bytes = moments.flatMap((moment) => (typeof moment === 'object' && 'byte' in moment ? [moment.byte] : []));
  return [...(Array.isArray(script.cuts) ? (script.cuts as number[]) : []), ...bytes].sort((a, b) => a - b);
}
