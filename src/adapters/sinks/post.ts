import type { Clock, Transport, TransportError } from '../../core/ports.ts';
import type { Secret } from '../../core/secret.ts';
import type { SinkHeaders } from '../../core/sink-settings.ts';
import type { Delivery } from './destination.ts';

/** What sinks send with: the gateway's own pooled connections. */
export interface Sender {
  readonly transport: Transport;
  readonly clock: Clock;
}

export interface Posting {
  readonly url: string;
  readonly method: 'POST' | 'PUT' | 'GET' | 'DELETE';
  /** Flat list name, value … */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
  readonly timeoutMs: number;
  /** Of the answer, what is more is cut off. */
  readonly answerBytesMax?: number;
}

export interface PostAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The first bytes of it. */
  readonly body: Buffer;
}

const answerBytesMaxDefault = 64 * 1024;
const connectTimeoutMs = 5_000;

/** Resolves to the answer, or to a word on why there is none. Neither address nor credential stands in it. */
export function post(sender: Sender, posting: Posting): Promise<PostAnswer | string> {
  const { promise, resolve } = Promise.withResolvers<PostAnswer | string>();
  const { answerBytesMax = answerBytesMaxDefault } = posting;
  const url = new URL(posting.url);
  let status = 0;
  let headers: PostAnswer['headers'] = {};
  const chunks: Buffer[] = [];
  let size = 0;
  const exchange = sender.transport.send(
    {
      origin: url.origin,
      method: posting.method,
      path: url.pathname + url.search,
      headers: posting.headers,
      body: posting.body,
      connectTimeoutMs,
      freshConnection: false,
    },
    {
      onHeaders(answered, told) {
        status = answered;
        headers = told;
      },
      onBytes(chunk) {
        if (size < answerBytesMax) chunks.push(chunk);
        size += chunk.length;
      },
      onEnd() {
        timer.cancel();
        resolve({ status, headers, body: Buffer.concat(chunks).subarray(0, answerBytesMax) });
      },
      onError(error: TransportError) {
        timer.cancel();
        resolve(error.message);
      },
    },
  );
  const timer = sender.clock.setTimer(posting.timeoutMs, () => {
    exchange.cancel();
    resolve('no answer in time');
  });
  return promise;
}

/** What an answer means for the batch: the one reading of HTTP status codes that all sinks share. */
export function deliveryOf(answer: PostAnswer | string, now: number): Delivery {
  if (typeof answer === 'string') return { kind: 'again', reason: answer, afterMs: null };
  const { status } = answer;
  if (status >= 200 && status < 300) return { kind: 'delivered', refused: 0 };
  if (status === 413) return { kind: 'too_large' };
  const reason = `answered ${status}`;
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return { kind: 'again', reason, afterMs: retryAfterMs(answer.headers['retry-after'], now) };
  }
  return { kind: 'refused', reason };
}

function retryAfterMs(value: string | string[] | undefined, now: number): number | null {
  if (typeof value !== 'string') return null;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

export function flatHeaders(headers: SinkHeaders): string[] {
  return headers.flatMap(([name, value]) => [name.toLowerCase(), value.reveal()]);
}

export function basicAuth(user: string, password: Secret): string {
  return `Basic ${Buffer.from(`${user}:${password.reveal()}`).toString('base64')}`;
}
