import { GatewayError } from './errors.ts';

/*
 * Server-sent events after the WHATWG grammar (https://html.spec.whatwg.org/multipage/server-sent-events.html): lines end
 * with LF, CR or CRLF, an empty line ends an event, `:` begins a comment, one space after the colon is not part of the
 * value, several `data` lines are joined by LF, a byte order mark may open the stream.
 *
 * Events are cut on bytes and read as latin1 text: every byte is one character, so nothing is decoded before its event is
 * whole, positions in text and bytes agree, and text goes back to the very bytes it came from.
 */

/** The largest event a stream may hold. */
export const eventBytesMax = 16 * 1024 * 1024;

const lineFeed = 10;
const carriageReturn = 13;
/** EF BB BF in latin1. */
const byteOrderMark = '\u00ef\u00bb\u00bf';

/** Cuts a stream of bytes after whole events; the rest waits for more. Linear in the bytes, whatever the chunks. */
export class EventSplitter {
  #pending: Buffer = Buffer.alloc(0);
  #pendingLength = 0;

  /** Returns all events that are now whole, as they came, or null. Throws GatewayError when one event is too large. */
  push(chunk: Uint8Array): Buffer | null {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const boundary = this.#lastBoundary(bytes);
    if (boundary === 0) {
      this.#keep(bytes);
      return null;
    }
    let whole = boundary === bytes.length ? bytes : bytes.subarray(0, boundary);
    if (this.#pendingLength > 0) {
      whole = Buffer.concat([this.#pending.subarray(0, this.#pendingLength), whole]);
      this.#pendingLength = 0;
      if (this.#pending.length > 65_536) this.#pending = Buffer.alloc(0);
    }
    if (boundary < bytes.length) this.#keep(bytes.subarray(boundary));
    return whole;
  }

  /** The stream is over: what never got its empty line, or null. */
  rest(): Buffer | null {
    if (this.#pendingLength === 0) return null;
    const rest = this.#pending.subarray(0, this.#pendingLength);
    this.#pending = Buffer.alloc(0);
    this.#pendingLength = 0;
    return rest;
  }

  #keep(bytes: Buffer): void {
    const length = this.#pendingLength + bytes.length;
    if (length > eventBytesMax) {
      throw new GatewayError('upstream_connection', `The provider sent an event larger than ${eventBytesMax} bytes.`);
    }
    if (length > this.#pending.length) {
      // Memory of its own: it stays as long as the stream, and would keep the 64 KiB that small buffers are cut from.
      const larger = Buffer.allocUnsafeSlow(Math.max(length, this.#pending.length * 2, 1024));
      this.#pending.copy(larger, 0, 0, this.#pendingLength);
      this.#pending = larger;
    }
    bytes.copy(this.#pending, this.#pendingLength);
    this.#pendingLength = length;
  }

  /** Position in `bytes` behind the last empty line that ends in it; 0 when there is none. */
  #lastBoundary(bytes: Buffer): number {
    // Nearly always a chunk ends with an event.
    const { length } = bytes;
    if (length > 1 && bytes[length - 1] === lineFeed && bytes[length - 2] === lineFeed) return length;
    let feed = bytes.lastIndexOf(lineFeed);
    let carriage = bytes.lastIndexOf(carriageReturn);
    for (;;) {
      const position = Math.max(feed, carriage);
      if (position < 0) return 0;
      if (this.#endsEmptyLine(bytes, position)) return position + 1;
      if (position === feed) feed = position === 0 ? -1 : bytes.lastIndexOf(lineFeed, position - 1);
      else carriage = position === 0 ? -1 : bytes.lastIndexOf(carriageReturn, position - 1);
    }
  }

  /** Is the line terminator at `position` directly behind another one? A CRLF counts as one. */
  #endsEmptyLine(bytes: Buffer, position: number): boolean {
    let before = position - 1;
    if (bytes[position] === lineFeed && this.#at(bytes, before) === carriageReturn) before -= 1;
    const byte = this.#at(bytes, before);
    // A CR behind an LF is half of a CRLF whose LF is still to come.
    if (byte === lineFeed && bytes[position] === carriageReturn && position === bytes.length - 1) return false;
    return byte === lineFeed || byte === carriageReturn;
  }

  #at(bytes: Buffer, position: number): number | undefined {
    if (position >= 0) return bytes[position];
    const kept = this.#pendingLength + position;
    return kept >= 0 ? this.#pending[kept] : undefined;
  }
}

/** Walks over whole events in latin1 text, one at a time, without an object per event. Positions count bytes. */
export class EventReader {
  /** Where the current event begins, empty lines before it included, and where the next one does. */
  start = 0;
  end = 0;
  /** `event:` of the current event, '' when absent. */
  name = '';
  /** Its data lines joined by LF, latin1; null when there are none. */
  data: string | null = null;
  /** Where the data begins in the text; -1 when it comes in several lines. */
  dataStart = -1;
  /** True when it holds a line that is no field of an event stream at all, as in an HTML page. */
  foreign = false;

  #text = '';
  #hasCarriageReturn = false;

  open(text: string): void {
    this.#text = text;
    this.#hasCarriageReturn = text.includes('\r');
    this.end = 0;
  }

  /** False when there are no more. A last event without its empty line is read as if it had one. */
  next(): boolean {
    const text = this.#text;
    const length = text.length;
    this.start = this.end;
    if (this.start >= length) return false;
    this.name = '';
    this.data = null;
    this.foreign = false;
    let line = this.start;
    if (line === 0 && text.startsWith(byteOrderMark)) line = byteOrderMark.length;
    for (let lines = 0; line < length; ) {
      const end = this.#lineEnd(line);
      const isEmpty = end === line;
      if (!isEmpty) {
        lines += 1;
        this.#readField(line, end);
      }
      line = end + 1;
      if (this.#hasCarriageReturn && text.charCodeAt(end) === carriageReturn && text.charCodeAt(line) === lineFeed) {
        line += 1;
      }
      // Empty lines before the first field belong to the event that follows.
      if (isEmpty && lines > 0) break;
    }
    this.end = Math.min(line, length);
    return true;
  }

  #addData(data: string, start: number): void {
    this.dataStart = this.data === null ? start : -1;
    this.data = this.data === null ? data : `${this.data}\n${data}`;
  }

  #lineEnd(from: number): number {
    const text = this.#text;
    if (!this.#hasCarriageReturn) {
      const end = text.indexOf('\n', from);
      return end === -1 ? text.length : end;
    }
    let position = from;
    while (position < text.length) {
      const code = text.charCodeAt(position);
      if (code === lineFeed || code === carriageReturn) break;
      position += 1;
    }
    return position;
  }

  #readField(start: number, end: number): void {
    const text = this.#text;
    if (text.startsWith('data:', start)) {
      const value = text.charCodeAt(start + 5) === 32 ? start + 6 : start + 5;
      this.#addData(text.slice(value, end), value);
    } else if (text.startsWith('event:', start)) {
      this.name = text.slice(text.charCodeAt(start + 6) === 32 ? start + 7 : start + 6, end);
    } else if (text.charCodeAt(start) !== 58) {
      const field = text.slice(start, end).split(':', 1)[0];
      if (field === 'data') this.#addData('', -1);
      else if (field !== 'event' && field !== 'id' && field !== 'retry') this.foreign = true;
    }
  }
}

export const eventStreamType = 'text/event-stream; charset=utf-8';

/** The text that latin1 bytes of UTF-8 stand for. */
export function decodeLatin1(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'latin1').toString('utf8');
}

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is the ASCII range.
  return /^[\x00-\x7f]*$/.test(text);
}
