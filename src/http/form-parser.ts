import { GatewayError } from '../core/errors.ts';

const headBytesMax = 16 * 1024;
const partsMax = 200;
const blankLine = Buffer.from('\r\n\r\n');

/** Told of the parts of a form in their order. */
export interface FormSink {
  part(name: string, fileName: string | null, mediaType: string): void;
  data(chunk: Buffer): void;
  partEnd(): void;
  end(): void;
}

/** Reads `multipart/form-data` (RFC 7578) however its bytes are cut. Throws GatewayError for what is no such form. */
export class FormParser {
  readonly #delimiter: Buffer;
  readonly #sink: FormSink;
  #state: 'preamble' | 'after-delimiter' | 'head' | 'data' | 'over' = 'preamble';
  #rest: Buffer;
  #parts = 0;

  constructor(boundary: string, sink: FormSink) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
    this.#sink = sink;
    // The first delimiter may stand at the very beginning, without a line before it.
    this.#rest = Buffer.from('\r\n');
  }

  push(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const left = this.#step(bytes);
      if (left === null) break;
      bytes = left;
    }
  }

  /** The bytes are over: a form ends with its closing delimiter, not before. */
  finish(): void {
    if (this.#state !== 'over') throw broken('it ends in the middle of a part');
  }

  /** Returns what is left to read, or null when more bytes are needed; these are kept. */
  #step(bytes: Buffer): Buffer | null {
    switch (this.#state) {
      case 'preamble':
      case 'data':
        return this.#untilDelimiter(bytes);
      case 'after-delimiter':
        return this.#afterDelimiter(bytes);
      case 'head':
        return this.#head(bytes);
      case 'over':
        this.#rest = bytes.subarray(bytes.length);
        return null;
    }
  }

  #untilDelimiter(bytes: Buffer): Buffer | null {
    const at = bytes.indexOf(this.#delimiter);
    const isData = this.#state === 'data';
    if (at === -1) {
      const safe = Math.max(0, bytes.length - this.#delimiter.length + 1);
      if (isData && safe > 0) this.#sink.data(bytes.subarray(0, safe));
      this.#rest = bytes.subarray(safe);
      return null;
    }
    if (isData) {
      if (at > 0) this.#sink.data(bytes.subarray(0, at));
      this.#sink.partEnd();
    }
    this.#state = 'after-delimiter';
    return bytes.subarray(at + this.#delimiter.length);
  }

  #afterDelimiter(bytes: Buffer): Buffer | null {
    // Spaces may stand between a delimiter and its line end.
    let at = 0;
    while (at < bytes.length && (bytes[at] === 0x20 || bytes[at] === 0x09)) at += 1;
    if (bytes.length < at + 2) return this.#wait(bytes);
    const sign = bytes.toString('latin1', at, at + 2);
    if (sign === '--') {
      this.#state = 'over';
      this.#sink.end();
    } else if (sign === '\r\n') {
      this.#state = 'head';
      this.#parts += 1;
      if (this.#parts > partsMax) throw broken(`it has more than ${partsMax} parts`);
    } else throw broken('a boundary is not followed by the end of its line');
    return bytes.subarray(at + 2);
  }

  #head(bytes: Buffer): Buffer | null {
    const at = bytes.indexOf(blankLine);
    if (at === -1) {
      if (bytes.length > headBytesMax) throw broken(`the head of a part is longer than ${headBytesMax} bytes`);
      return this.#wait(bytes);
    }
    const { name, fileName, mediaType } = readHead(bytes.toString('utf8', 0, at));
    this.#state = 'data';
    this.#sink.part(name, fileName, mediaType);
    return bytes.subarray(at + blankLine.length);
  }

  #wait(bytes: Buffer): null {
    this.#rest = bytes;
    return null;
  }
}

function readHead(text: string): { name: string; fileName: string | null; mediaType: string } {
  let disposition = '';
  let mediaType = '';
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    const header = line.slice(0, colon).trim().toLowerCase();
    if (header === 'content-disposition') disposition = line.slice(colon + 1);
    else if (header === 'content-type') mediaType = line.slice(colon + 1).trim();
  }
  const name = parameter(disposition, 'name');
  if (name === null) throw broken('a part has no name');
  return { name, fileName: parameter(disposition, 'filename'), mediaType: mediaType || 'application/octet-stream' };
}

function parameter(disposition: string, name: string): string | null {
  const match = new RegExp(`;\\s*${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^;\\s]*))`, 'i').exec(disposition);
  if (match === null) return null;
  return match[1] === undefined ? match[2]! : match[1].replace(/\\(["\\])/g, '$1').replace(/%22/g, '"');
}

export function broken(what: string): GatewayError {
  return new GatewayError('malformed_request', `The form cannot be read: ${what}.`);
}
