import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { ByteSink, ByteSource, Reply } from '../core/exchange.ts';
import { headerLine } from '../core/header-text.ts';

/** Up to this size head and body leave as one text, in one write; larger bodies are not worth copying. */
const oneWriteBytesMax = 8 * 1024;

/** Writes a reply; a stream flows at the pace of the client and stops at once when the client leaves. */
export function writeReply(response: ServerResponse, reply: Reply): void {
  const { body } = reply;
  // Headers are out when the client was told meanwhile that the gateway stops.
  if (response.destroyed || response.headersSent) {
    if (!(body instanceof Uint8Array)) body.cancel();
    return;
  }
  if (body instanceof Uint8Array) {
    writeHead(response, reply, ['content-length', String(body.byteLength)]);
    if (body.byteLength > oneWriteBytesMax) response.end(body);
    else response.end(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1'), 'latin1');
    return;
  }
  writeHead(response, reply, noFraming);
  new ResponseSink(response, body).start();
}

const noFraming: readonly string[] = [];

/** What `ServerResponse.writeHead` calls once it has checked the status: joins the first line and what follows it. */
interface HeadStore {
  _storeHeader(firstLines: string, headers: readonly string[]): void;
}

/**
 * Fifty headers, checked and joined one by one by node:http, cost more than everything else about an answer. Ours are
 * finished lines, made of checked values (core/header-text.ts), and travel as part of the first line; node:http adds what
 * belongs to the connection: framing, date, keep-alive.
 */
function writeHead(response: ServerResponse, reply: Reply, framing: readonly string[]): void {
  const { status, headers, headerLines } = reply;
  let lines = firstLine(status);
  for (let index = 0; index < headers.length; index += 2) lines += headerLine(headers[index]!, headers[index + 1]!);
  response.statusCode = status;
  (response as unknown as HeadStore)._storeHeader(lines + headerLines, framing);
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

class ResponseSink implements ByteSink {
  readonly #response: ServerResponse;
  readonly #source: ByteSource;

  constructor(response: ServerResponse, source: ByteSource) {
    this.#response = response;
    this.#source = source;
  }

  start(): void {
    this.#response.on('drain', () => this.#source.resume());
    this.#response.on('close', () => this.#source.cancel());
    this.#source.start(this);
  }

  write(chunk: Uint8Array): boolean {
    return this.#response.destroyed ? true : this.#response.write(chunk);
  }

  end(): void {
    this.#response.end();
  }

  destroy(): void {
    this.#response.destroy();
  }
}
