import type { ServerResponse } from 'node:http';
import type { ByteSink, ByteSource, Reply } from '../core/exchange.ts';
import { headerLine } from '../core/header-text.ts';
import { STATUS_CODES } from './node-http.ts';

/** Up to this size head and body leave as one piece, in one write; larger bodies are not worth copying. */
const oneWriteBytesMax = 8 * 1024;

/** Writes a reply; a stream flows at the pace of the client and stops at once when the client leaves. */
export function writeReply(response: ServerResponse, reply: Reply): void {
  const { body } = reply;
  // Headers are out when the client was told meanwhile that the gateway stops.
  if (response.destroyed || response.headersSent) {
    if (!(body instanceof Uint8Array)) body.cancel();
    return;
  }
  if (!(body instanceof Uint8Array)) {
    writeHead(response, reply, noFraming);
    new ResponseSink(response, body).start();
  } else if (body.byteLength <= oneWriteBytesMax) writeAtOnce(response, reply, body);
  else {
    writeHead(response, reply, ['content-length', String(body.byteLength)]);
    response.end(body);
  }
}

const noFraming: readonly string[] = [];

/** What node:http keeps of a head: `ServerResponse.writeHead` makes it by this function once it has checked the status. */
interface HeadStore {
  /** Joins the first line and what follows it, adds what belongs to the connection: framing, date, keep-alive. */
  _storeHeader(firstLines: string, headers: readonly string[]): void;
  /** What was stored, up to the empty line. */
  _header: string;
  _headerSent: boolean;
}

const lineEndLength = 2;

/**
 * Fifty headers, checked and joined one by one by node:http, cost more than everything else about an answer. Ours are
 * finished lines, made of checked values (core/header-text.ts), and travel as part of the first line.
 */
function writeHead(
  response: ServerResponse,
  { status, headers, headerLines }: Reply,
  framing: readonly string[],
): void {
  response.statusCode = status;
  const lines = firstLine(status) + linesOf(headers) + headerLines.toString('latin1');
  (response as unknown as HeadStore)._storeHeader(lines, framing);
}

/** Head and body as one piece of bytes: as texts, all lines would be joined and then copied twice. */
function writeAtOnce(response: ServerResponse, { status, headers, headerLines }: Reply, body: Uint8Array): void {
  const store = response as unknown as HeadStore;
  response.statusCode = status;
  store._storeHeader(firstLine(status) + linesOf(headers), ['content-length', String(body.byteLength)]);
  const head = store._header;
  const message = Buffer.allocUnsafe(head.length + headerLines.length + body.byteLength);
  message.write(head, 'latin1');
  // Ours take the place of the empty line, which comes behind them.
  let at = head.length - lineEndLength;
  message.set(headerLines, at);
  at += headerLines.length;
  message[at] = carriageReturn;
  message[at + 1] = lineFeed;
  message.set(body, at + lineEndLength);
  store._headerSent = true;
  response.end(message);
}

function linesOf(headers: readonly string[]): string {
  let lines = '';
  for (let index = 0; index < headers.length; index += 2) lines += headerLine(headers[index]!, headers[index + 1]!);
  return lines;
}

const firstLines = new Map<number, string>();

function firstLine(status: number): string {
  let line = firstLines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`;
    firstLines.set(status, line);
  }
  return line;
}

/**
 * A stream in chunked coding. node:http would send each chunk as four pieces, put together again by the socket; framed
 * here, it is one piece and one write.
 */
class ResponseSink implements ByteSink {
  readonly #response: ServerResponse;
  readonly #source: ByteSource;
  #isFramed = false;

  constructor(response: ServerResponse, source: ByteSource) {
    this.#response = response;
    this.#source = source;
  }

  start(): void {
    this.#response.on('drain', () => this.#source.resume());
    this.#response.on('close', () => this.#source.cancel());
    // False for clients of HTTP/1.0, whose streams end with the connection.
    this.#isFramed = this.#response.chunkedEncoding;
    this.#response.chunkedEncoding = false;
    this.#source.start(this);
  }

  write(chunk: Uint8Array): boolean {
    // An empty chunk would be the end.
    if (this.#response.destroyed || chunk.length === 0) return true;
    if (!this.#isFramed) return this.#response.write(chunk);
    return this.#response.write(framed(chunk, this.#response.writableLength > waitingBytesMax));
  }

  end(): void {
    if (this.#isFramed) this.#response.end(lastFrame);
    else this.#response.end();
  }

  destroy(): void {
    this.#response.destroy();
  }
}

/** Less than that waits for the end of a turn of the event loop, not for the client. */
const waitingBytesMax = 2 * 1024;
/** Larger frames, of which the client may not take all at once, are not cut from the memory that small buffers share. */
const pooledBytesMax = 4 * 1024;
const carriageReturn = 13;
const lineFeed = 10;
const lastFrame = Buffer.from('0\r\n\r\n');

/**
 * RFC 9112, 7.1: length in hex digits, line end, the bytes, line end. What has to wait for a slow client has memory of its own: it
 * would keep the 64 KiB that small buffers are cut from.
 */
function framed(chunk: Uint8Array, mustWait: boolean): Buffer {
  let digits = 1;
  for (let rest = chunk.length; rest > 15; rest = Math.floor(rest / 16)) digits += 1;
  const length = digits + chunk.length + 4;
  const frame = mustWait || length > pooledBytesMax ? Buffer.allocUnsafeSlow(length) : Buffer.allocUnsafe(length);
  let rest = chunk.length;
  for (let at = digits - 1; at >= 0; at--) {
    const digit = rest % 16;
    frame[at] = digit < 10 ? 48 + digit : 87 + digit;
    rest = Math.floor(rest / 16);
  }
  frame[digits] = carriageReturn;
  frame[digits + 1] = lineFeed;
  frame.set(chunk, digits + 2);
  frame[frame.length - 2] = carriageReturn;
  frame[frame.length - 1] = lineFeed;
  return frame;
}
