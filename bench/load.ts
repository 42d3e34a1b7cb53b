import { connect, type Socket } from 'node:net';
import { type RawReply, ReplyReader } from './http-reply.ts';

// The load generator: a child process that runs one load at a time for its parent and reports what came back. Loopback
// only, and bounded both in requests and in time.

export interface LoadSpec {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** `closed`: each connection sends when its last reply is in. `open`: sends at a constant rate, whatever comes back. */
  readonly arrival:
    | { readonly kind: 'closed'; readonly connections: number }
    | { readonly kind: 'open'; readonly perSecond: number };
  readonly requestsMax: number;
  readonly durationMs: number;
  /** A reply counts only if its body ends with this. */
  readonly endsWith?: string;
}

export interface LoadResult {
  readonly requests: number;
  readonly failures: number;
  readonly firstFailure?: string;
  readonly durationMs: number;
  /** Microseconds; in an open loop from the moment the request should have been sent, so that waiting counts. */
  readonly latencies: Float64Array;
}

const connectionsMax = 1_024;
const replyTimeoutMs = 30_000;

async function run(spec: LoadSpec): Promise<LoadResult> {
  const request = requestBytes(spec);
  const latencies: number[] = [];
  let failures = 0;
  let firstFailure: string | undefined;
  let sent = 0;
  let answered = 0;
  const startedAt = performance.now();
  const finished = Promise.withResolvers<void>();
  const isOver = (): boolean => sent >= spec.requestsMax || performance.now() - startedAt >= spec.durationMs;
  const idle: Connection[] = [];
  const all: Connection[] = [];
  const waiting: number[] = [];

  const account = (intendedAt: number, reply: RawReply | Error): void => {
    answered += 1;
    const problem = problemOf(reply, spec);
    if (problem === undefined) latencies.push((performance.now() - intendedAt) * 1000);
    else {
      failures += 1;
      firstFailure ??= problem;
    }
  };
  const next = (connection: Connection, intendedAt: number): void => {
    connection.send(request, (reply) => {
      account(intendedAt, reply);
      if (reply instanceof Error) connection.close();
      release(connection);
    });
  };
  const release = (connection: Connection): void => {
    const queued = waiting.shift();
    if (queued !== undefined) {
      next(connection, queued);
      return;
    }
    if (spec.arrival.kind === 'closed' && !isOver()) {
      sent += 1;
      next(connection, performance.now());
      return;
    }
    idle.push(connection);
    if (answered >= sent && isOver()) finished.resolve();
  };
  const arrive = (intendedAt: number): void => {
    sent += 1;
    const free = idle.pop();
    if (free !== undefined) next(free, intendedAt);
    else if (all.length >= connectionsMax) waiting.push(intendedAt);
    else {
      const added = new Connection(spec.port);
      all.push(added);
      next(added, intendedAt);
    }
  };

  if (spec.arrival.kind === 'closed') {
    for (let count = 0; count < spec.arrival.connections; count += 1) {
      const connection = new Connection(spec.port);
      all.push(connection);
      release(connection);
    }
  } else {
    await sendAtConstantRate(spec.arrival.perSecond, isOver, arrive);
    if (answered >= sent) finished.resolve();
  }
  const timer = setTimeout(() => finished.resolve(), spec.durationMs + replyTimeoutMs);
  await finished.promise;
  clearTimeout(timer);
  const durationMs = performance.now() - startedAt;
  for (const connection of all) connection.close();
  const lost = sent - answered;
  if (lost > 0) firstFailure ??= `${lost} requests were never answered`;
  return {
    requests: answered,
    failures: failures + lost,
    ...(firstFailure === undefined ? {} : { firstFailure }),
    durationMs,
    latencies: Float64Array.from(latencies),
  };
}

/** Sleeps while there is time and turns in circles for the last two milliseconds, so that requests leave on time. */
async function sendAtConstantRate(
  perSecond: number,
  isOver: () => boolean,
  arrive: (at: number) => void,
): Promise<void> {
  const gapMs = 1000 / perSecond;
  let dueAt = performance.now() + gapMs;
  while (!isOver()) {
    const leftMs = dueAt - performance.now();
    if (leftMs > 2) await new Promise((resolve) => setTimeout(resolve, Math.floor(leftMs - 1.5)));
    else if (leftMs > 0) await new Promise((resolve) => setImmediate(resolve));
    else {
      arrive(dueAt);
      dueAt += gapMs;
    }
  }
}

class Connection {
  #socket: Socket;
  #reader: ReplyReader;
  #onReply: ((reply: RawReply | Error) => void) | undefined;
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
    this.#reader = new ReplyReader((reply) => this.#settle(reply));
    this.#socket = this.#open();
  }

  send(request: Buffer, onReply: (reply: RawReply | Error) => void): void {
    // A destroyed socket swallows what is written to it without a word.
    if (this.#socket.destroyed) {
      this.#reader = new ReplyReader((reply) => this.#settle(reply));
      this.#socket = this.#open();
    }
    this.#onReply = onReply;
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #open(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    socket.on('data', (bytes: Buffer) => {
      try {
        this.#reader.push(bytes);
      } catch (error) {
        this.#settle(error as Error);
      }
    });
    socket.on('error', (error) => socket === this.#socket && this.#settle(error));
    socket.on(
      'close',
      () => socket === this.#socket && this.#settle(new Error('the connection was closed before the reply')),
    );
    return socket;
  }

  #settle(reply: RawReply | Error): void {
    const onReply = this.#onReply;
    this.#onReply = undefined;
    onReply?.(reply);
  }
}

function problemOf(reply: RawReply | Error, spec: LoadSpec): string | undefined {
  if (reply instanceof Error) return reply.message;
  if (reply.status !== 200) return `status ${reply.status}: …${reply.tail}`;
  if (spec.endsWith !== undefined && !reply.tail.endsWith(spec.endsWith))
    return `ends with ${JSON.stringify(reply.tail)}`;
  return undefined;
}

function requestBytes(spec: LoadSpec): Buffer {
  const headers = { host: `127.0.0.1:${spec.port}`, 'content-type': 'application/json', ...spec.headers };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = Buffer.byteLength(spec.body);
  return Buffer.from(`POST ${spec.path} HTTP/1.1\r\n${lines.join('')}content-length: ${length}\r\n\r\n${spec.body}`);
}

process.on('message', (spec: LoadSpec) => {
  run(spec).then(
    (result) => process.send!({ result }),
    (error: unknown) => process.send!({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
