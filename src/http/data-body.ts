import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, type ZlibOptions } from 'node:zlib';
import { GatewayError } from '../core/errors.ts';
import type { Clock, Timer } from '../core/ports.ts';

const decompressors = {
  gzip: promisify<Buffer, ZlibOptions, Buffer>(gunzip),
  'x-gzip': promisify<Buffer, ZlibOptions, Buffer>(gunzip),
  deflate: promisify<Buffer, ZlibOptions, Buffer>(inflate),
  br: promisify<Buffer, ZlibOptions, Buffer>(brotliDecompress),
};

/** A body must come at this rate, looked at once it has had time to begin. Slower ones hold a connection and nothing else. */
const bytesPerSecondMin = 1_024;
const patienceMs = 10_000;
const lookMs = 2_500;

/** The client left before its request was complete: nobody to answer. */
export class ClientLeft extends Error {}

/**
 * Reads a whole body of at most `bytesMax` bytes, decompressed where it is compressed. Throws GatewayError for a body
 * that is too large, damaged, or encoded in an unknown way, and ClientLeft when it never ends.
 */
export function requestBody(request: IncomingMessage, bytesMax: number, clock: Clock): Promise<Buffer> {
  const raw = rawBody(request, bytesMax, clock);
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? '';
  return encoding === '' || encoding === 'identity' ? raw : decompressed(raw, encoding, bytesMax);
}

async function decompressed(compressed: Promise<Buffer>, encoding: string, bytesMax: number): Promise<Buffer> {
  const raw = await compressed;
  if (!Object.hasOwn(decompressors, encoding)) {
    const known = Object.keys(decompressors).join(', ');
    throw new GatewayError(
      'unsupported_media_type',
      `content-encoding ${encoding.slice(0, 40)} is unknown; use ${known} or none.`,
    );
  }
  try {
    return await decompressors[encoding as keyof typeof decompressors](raw, { maxOutputLength: bytesMax });
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax);
    throw new GatewayError(
      'malformed_request',
      `The body is not valid ${encoding}, which its content-encoding says it is.`,
    );
  }
}

function rawBody(request: IncomingMessage, bytesMax: number, clock: Clock): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? Number.NaN);
  if (announced > bytesMax) {
    discard(request, announced <= 2 * bytesMax ? announced : bytesMax);
    return Promise.reject(tooLarge(bytesMax));
  }
  return new Promise((resolve, reject) => {
    new BodyReader(request, announced, bytesMax, clock, resolve, reject);
  });
}

class BodyReader {
  readonly #request: IncomingMessage;
  readonly #bytesMax: number;
  readonly #clock: Clock;
  readonly #startedTick: number;
  #timer: Timer;
  readonly #resolve: (body: Buffer) => void;
  readonly #reject: (error: Error) => void;
  /** Sized by content-length, filled as the body comes; null when a single chunk brought it all. */
  #whole: Buffer | null = null;
  readonly #announced: number;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #over = false;

  constructor(
    request: IncomingMessage,
    announced: number,
    bytesMax: number,
    clock: Clock,
    resolve: (body: Buffer) => void,
    reject: (error: Error) => void,
  ) {
    this.#request = request;
    this.#announced = announced;
    this.#bytesMax = bytesMax;
    this.#clock = clock;
    this.#startedTick = clock.tick();
    this.#timer = clock.setTimer(lookMs, () => this.#look());
    this.#resolve = resolve;
    this.#reject = reject;
    request.on('data', (chunk: Buffer) => this.#take(chunk));
    request.on('end', () => this.#finish());
    request.on('error', () => this.#left());
    request.on('close', () => this.#left());
  }

  #take(chunk: Buffer): void {
    if (this.#over) return;
    const before = this.#size;
    this.#size += chunk.length;
    if (this.#size > this.#bytesMax) {
      this.#end();
      discard(this.#request, this.#bytesMax);
      this.#reject(tooLarge(this.#bytesMax));
      return;
    }
    if (before === 0 && chunk.length < this.#announced) this.#whole = Buffer.allocUnsafe(this.#announced);
    if (this.#whole === null) this.#chunks.push(chunk);
    else chunk.copy(this.#whole, before);
  }

  #look(): void {
    if (this.#over) return;
    const elapsedMs = this.#clock.tick() - this.#startedTick;
    if (elapsedMs < patienceMs - lookMs || this.#size >= (elapsedMs / 1_000) * bytesPerSecondMin) {
      this.#timer = this.#clock.setTimer(lookMs, () => this.#look());
      return;
    }
    this.#end();
    this.#reject(new GatewayError('request_timed_out', 'The request body came too slowly.'));
  }

  #end(): void {
    this.#over = true;
    this.#timer.cancel();
  }

  #finish(): void {
    if (this.#over) return;
    this.#end();
    if (this.#whole !== null) this.#resolve(this.#whole);
    else
      this.#resolve(this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks, this.#size));
  }

  #left(): void {
    if (this.#over) return;
    this.#end();
    this.#reject(new ClientLeft());
  }
}

/**
 * Lets a refused body run out, so that the client reads our answer instead of a reset, and may go on with the connection;
 * closes on one that goes on beyond `bytes`.
 */
function discard(request: IncomingMessage, bytes: number): void {
  let left = bytes;
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.socket.destroySoon();
  });
}

function tooLarge(bytesMax: number): GatewayError {
  return new GatewayError('body_too_large', `The request body is larger than the limit of ${bytesMax} bytes.`);
}
