/** What one reply on a raw connection was; bodies are counted, not kept. */
export interface RawReply {
  readonly status: number;
  readonly bodyBytes: number;
  /** The last bytes of the body: enough to see whether a stream ended as it should. */
  readonly tail: string;
}

const tailBytes = 64;
const crlfcrlf = Buffer.from('\r\n\r\n');

/**
 * Reads HTTP/1.1 replies off a connection, one after the other: Content-Length or chunked, nothing else. A load
 * generator must cost far less than what it measures, so this counts bytes and throws the bodies away.
 */
export class ReplyReader {
  #pending: Buffer = Buffer.alloc(0);
  #state: 'head' | 'length' | 'chunk-size' | 'chunk' | 'trailer' = 'head';
  #left = 0;
  #status = 0;
  #bodyBytes = 0;
  #tail: Buffer = Buffer.alloc(0);
  readonly #onReply: (reply: RawReply) => void;

  constructor(onReply: (reply: RawReply) => void) {
    this.#onReply = onReply;
  }

  /** Throws where the bytes are not a reply it can read. */
  push(bytes: Buffer): void {
    let rest = this.#pending.length > 0 ? Buffer.concat([this.#pending, bytes]) : bytes;
    this.#pending = emptyBuffer;
    while (rest.length > 0) {
      const used = this.#step(rest);
      if (used === 0) {
        this.#pending = rest;
        return;
      }
      rest = rest.subarray(used);
    }
  }

  /** Bytes used of `rest`; 0 where more are needed first. */
  #step(rest: Buffer): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(rest);
      case 'length':
      case 'chunk':
        return this.#readBody(rest);
      case 'chunk-size': {
        const lineEnd = rest.indexOf('\r\n');
        if (lineEnd < 0) return 0;
        this.#left = Number.parseInt(rest.toString('latin1', 0, lineEnd), 16);
        if (Number.isNaN(this.#left)) throw new Error('a chunk without a size');
        this.#state = this.#left === 0 ? 'trailer' : 'chunk';
        return lineEnd + 2;
      }
      case 'trailer': {
        if (rest.length < 2) return 0;
        this.#finish();
        return 2;
      }
    }
  }

  #readHead(rest: Buffer): number {
    const end = rest.indexOf(crlfcrlf);
    if (end < 0) return 0;
    const head = rest.toString('latin1', 0, end);
    this.#status = Number(head.slice(9, 12));
    if (!(this.#status >= 200)) throw new Error(`not a reply: ${head.slice(0, 40)}`);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length !== undefined) {
      this.#left = Number(length);
      this.#state = 'length';
      if (this.#left === 0) this.#finish();
    } else if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
      this.#state = 'chunk-size';
    } else {
      throw new Error('a reply with neither a length nor chunks');
    }
    return end + 4;
  }

  #readBody(rest: Buffer): number {
    // A chunk is followed by a line end, which is taken together with its last byte.
    const frame = this.#state === 'chunk' ? 2 : 0;
    const content = Math.min(rest.length, this.#left);
    if (content === this.#left && rest.length < content + frame) {
      if (content <= 1) return 0;
      this.#count(rest.subarray(0, content - 1));
      return content - 1;
    }
    this.#count(rest.subarray(0, content));
    if (this.#left > 0) return content;
    if (frame === 0) this.#finish();
    else this.#state = 'chunk-size';
    return content + frame;
  }

  #count(bytes: Buffer): void {
    this.#bodyBytes += bytes.length;
    this.#left -= bytes.length;
    this.#tail =
      bytes.length >= tailBytes ? bytes.subarray(-tailBytes) : Buffer.concat([this.#tail, bytes]).subarray(-tailBytes);
  }

  #finish(): void {
    const reply = { status: this.#status, bodyBytes: this.#bodyBytes, tail: this.#tail.toString('latin1') };
    this.#state = 'head';
    this.#bodyBytes = 0;
    this.#tail = emptyBuffer;
    this.#onReply(reply);
  }
}

const emptyBuffer: Buffer = Buffer.alloc(0);
