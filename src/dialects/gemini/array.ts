import type { Dialect, StreamDecoder, StreamRelay } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { StreamPart } from '../../core/neutral.ts';
import { EventReader, eventBytesMax } from '../../core/server-sent-events.ts';
import { gemini } from './index.ts';
import { GenerateRelay } from './relay.ts';
import { GenerateStreamDecoder } from './stream-decoder.ts';
import { GenerateStreamEncoder } from './stream-encoder.ts';

/*
 * What a caller gets that asks for a stream without `alt=sse`: the same answers, one after the other, as the members of
 * one JSON list. Providers are always asked for events.
 */

class ArrayRelay implements StreamRelay {
  readonly #inner = new GenerateRelay();
  readonly #reader = new EventReader();
  #hasBegun = false;

  get progress() {
    return this.#inner.progress;
  }

  push(chunk: Uint8Array): Uint8Array | null {
    return this.#told(this.#inner.push(chunk));
  }

  end(): Uint8Array | null {
    const last = this.#told(this.#inner.end());
    if (this.progress.ending !== 'complete') return last;
    return Buffer.concat([last ?? Buffer.alloc(0), Buffer.from(this.#hasBegun ? ']' : '[]')]);
  }

  #told(events: Uint8Array | null): Buffer | null {
    if (events === null) return null;
    const reader = this.#reader;
    let text = '';
    reader.open(Buffer.from(events).toString('latin1'));
    while (reader.next()) {
      if (reader.data === null || reader.data === '') continue;
      text += (this.#hasBegun ? ',\n' : '[') + reader.data;
      this.#hasBegun = true;
    }
    return text === '' ? null : Buffer.from(text, 'latin1');
  }
}

class ArrayEncoder extends GenerateStreamEncoder {
  #hasBegun = false;

  override encode(part: StreamPart): string {
    const text = super.encode(part);
    return part.type === 'end' ? `${text}]` : text;
  }

  protected override frame(event: JsonObject): string {
    const mark = this.#hasBegun ? ',\n' : '[';
    this.#hasBegun = true;
    return mark + JSON.stringify(event);
  }
}

/** Cuts a list into its members as they become whole; whatever stands between them is passed over. */
class MemberSplitter {
  readonly #members: Buffer[] = [];
  readonly #pending: Buffer[] = [];
  #pendingBytes = 0;
  #depth = 0;
  #inString = false;
  #isEscaped = false;

  push(chunk: Uint8Array): Buffer[] {
    this.#members.length = 0;
    let start = this.#depth > 0 ? 0 : -1;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (this.#inString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === 92) this.#isEscaped = true;
        else if (byte === 34) this.#inString = false;
      } else if (byte === 34) this.#inString = this.#depth > 0;
      else if (byte === 123) {
        if (this.#depth === 0) start = at;
        this.#depth += 1;
      } else if (byte === 125 && this.#depth > 0) {
        this.#depth -= 1;
        if (this.#depth > 0) continue;
        this.#keep(chunk.subarray(start, at + 1));
        this.#members.push(Buffer.concat(this.#pending));
        this.#pending.length = 0;
        this.#pendingBytes = 0;
        start = -1;
      }
    }
    if (start !== -1) this.#keep(chunk.subarray(start));
    return this.#members;
  }

  #keep(bytes: Uint8Array): void {
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes > eventBytesMax) {
      throw new GatewayError('upstream_connection', `The provider sent an event larger than ${eventBytesMax} bytes.`);
    }
    this.#pending.push(Buffer.from(bytes));
  }
}

class ArrayDecoder implements StreamDecoder {
  readonly #inner = new GenerateStreamDecoder();
  readonly #splitter = new MemberSplitter();

  push(chunk: Uint8Array, parts: StreamPart[]): void {
    for (const member of this.#splitter.push(chunk)) {
      // Line breaks stand between the tokens of JSON, never inside a string.
      const line = member.toString('latin1').replaceAll(/[\r\n]/g, ' ');
      this.#inner.push(Buffer.from(`data: ${line}\n\n`, 'latin1'), parts);
    }
  }

  end(parts: StreamPart[]): void {
    this.#inner.end(parts);
  }
}

export const geminiArray: Dialect = Object.freeze({
  ...gemini,
  name: 'gemini-array',
  variantOf: 'gemini-generate',
  relay: () => new ArrayRelay(),
  streamDecoder: () => new ArrayDecoder(),
  streamEncoder: (options) => new ArrayEncoder(options),
  errors: {
    ...gemini.errors,
    streamEvent: (error, requestId) => Buffer.from(`,\n${JSON.stringify(gemini.errors.encode(error, requestId))}]`),
  },
  heartbeat: Buffer.from('\n'),
  streamContentType: 'application/json; charset=utf-8',
} satisfies Dialect);
