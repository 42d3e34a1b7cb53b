import { crc32 } from 'node:zlib';
import { GatewayError } from './errors.ts';

/*
 * Amazon's binary event stream: frames of a prelude (whole length, length of the headers, CRC-32 of these two), headers,
 * a payload, and the CRC-32 of all that. Numbers are big-endian.
 * https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html
 */

export const awsEventStreamType = 'application/vnd.amazon.eventstream';

export interface AwsFrame {
  /** Headers whose value is text, which those that name the event are. */
  readonly headers: ReadonlyMap<string, string>;
  readonly payload: Buffer;
}

const preludeBytes = 12;
const frameBytesMin = 16;
const frameBytesMax = 16 * 1024 * 1024;
const textHeader = 7;

/** Cuts a stream of bytes after whole frames; the rest waits for more. */
export class AwsFrameSplitter {
  #pending: Buffer = Buffer.alloc(0);

  /** All frames that are now whole, as they came, or null. Throws GatewayError for what is no frame. */
  push(chunk: Uint8Array): Buffer | null {
    const bytes = this.#pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#pending, chunk]);
    let end = 0;
    while (bytes.length - end >= preludeBytes) {
      const length = frameLength(bytes, end);
      if (bytes.length - end < length) break;
      end += length;
    }
    this.#pending = end === 0 ? bytes : Buffer.from(bytes.subarray(end));
    return end === 0 ? null : bytes.subarray(0, end);
  }

  /** Whether the stream ends in the middle of a frame. */
  get isCut(): boolean {
    return this.#pending.length > 0;
  }
}

/** Whole frames, one after the other. Throws GatewayError for one whose checksum is wrong. */
export function* awsFrames(bytes: Buffer): Generator<AwsFrame> {
  for (let start = 0; start < bytes.length; ) {
    const length = frameLength(bytes, start);
    const end = start + length;
    if (crc32(bytes.subarray(start, end - 4)) !== bytes.readUInt32BE(end - 4)) throw damaged('its checksum is wrong');
    const headersEnd = start + preludeBytes + bytes.readUInt32BE(start + 4);
    if (headersEnd > end - 4) throw damaged('its headers are longer than it is');
    yield {
      headers: readHeaders(bytes.subarray(start + preludeBytes, headersEnd)),
      payload: bytes.subarray(headersEnd, end - 4),
    };
    start = end;
  }
}

function frameLength(bytes: Buffer, start: number): number {
  const length = bytes.readUInt32BE(start);
  if (crc32(bytes.subarray(start, start + 8)) !== bytes.readUInt32BE(start + 8)) {
    throw damaged('the checksum of its beginning is wrong');
  }
  if (length < frameBytesMin || length > frameBytesMax) throw damaged(`it is said to be ${length} bytes long`);
  return length;
}

function damaged(why: string): GatewayError {
  return new GatewayError('upstream_connection', `The provider sent an event that cannot be read: ${why}.`);
}

/** Bytes of the values of other types; -1 where two bytes say how many follow. */
const valueBytes: readonly number[] = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16];

function readHeaders(bytes: Buffer): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const nameEnd = at + 1 + bytes[at]!;
    const type = bytes[nameEnd] ?? -1;
    const fixed = valueBytes[type];
    if (fixed === undefined || nameEnd + 3 > bytes.length + 2) throw damaged('its headers are broken');
    const start = nameEnd + 1 + (fixed === -1 ? 2 : 0);
    const end = fixed === -1 ? start + (start <= bytes.length ? bytes.readUInt16BE(start - 2) : 0) : start + fixed;
    if (end > bytes.length) throw damaged('its headers are broken');
    if (type === textHeader) headers.set(bytes.toString('utf8', at + 1, nameEnd), bytes.toString('utf8', start, end));
    at = end;
  }
  return headers;
}

export function awsFrame(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(headers)) {
    const text = Buffer.from(value);
    const head = Buffer.alloc(name.length + 4);
    head[0] = name.length;
    head.write(name, 1, 'latin1');
    head[name.length + 1] = textHeader;
    head.writeUInt16BE(text.length, name.length + 2);
    parts.push(head, text);
  }
  const head = Buffer.concat(parts);
  const body = Buffer.from(payload);
  const frame = Buffer.alloc(preludeBytes + head.length + body.length + 4);
  frame.writeUInt32BE(frame.length, 0);
  frame.writeUInt32BE(head.length, 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  head.copy(frame, preludeBytes);
  body.copy(frame, preludeBytes + head.length);
  frame.writeUInt32BE(crc32(frame.subarray(0, -4)), frame.length - 4);
  return frame;
}

export function awsEvent(type: string, payload: object): Buffer {
  const headers = { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' };
  return awsFrame(headers, JSON.stringify(payload));
}

/** How a failure is told inside a stream. */
export function awsException(type: string, message: string): Buffer {
  const headers = { ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' };
  return awsFrame(headers, JSON.stringify({ message }));
}
