import type { ServerResponse } from 'node:http';
import type { ByteSink, ByteSource, Reply } from '../core/exchange.ts';

/** Writes a reply; a stream flows at the pace of the client and stops at once when the client leaves. */
export function writeReply(response: ServerResponse, reply: Reply): void {
  const { body } = reply;
  // Headers are out when the client was told meanwhile that the gateway stops.
  if (response.destroyed || response.headersSent) {
    if (!(body instanceof Uint8Array)) body.cancel();
    return;
  }
  const headers = reply.headers as string[];
  if (body instanceof Uint8Array) {
    const length = ['content-length', String(body.byteLength)];
    response.writeHead(reply.status, [...headers, ...length]);
    response.end(body);
    return;
  }
  response.writeHead(reply.status, headers);
  new ResponseSink(response, body).start();
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
