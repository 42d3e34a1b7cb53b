import { AwsChunkFraming } from '../../core/aws-event-chunks.ts';
import { awsEvent } from '../../core/aws-event-stream.ts';
import type { StreamDecoder, StreamEncoder, StreamRelay } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import type { StreamPart } from '../../core/neutral.ts';
import { EventReader } from '../../core/server-sent-events.ts';

/* A stream of this call: Amazon's frames, each with one event of the model's own format in base64. */

export const nothing: Buffer = Buffer.alloc(0);

export function chunkFrame(event: JsonObject | string): Buffer {
  const text = typeof event === 'string' ? event : JSON.stringify(event);
  return awsEvent('chunk', { bytes: Buffer.from(text).toString('base64') });
}

export class InvokeRelay implements StreamRelay {
  readonly #inner: StreamRelay;

  constructor(inner: StreamRelay) {
    this.#inner = inner;
  }

  get progress() {
    return this.#inner.progress;
  }

  push(chunk: Uint8Array): Uint8Array | null {
    return framed(this.#inner.push(chunk));
  }

  end(): Uint8Array | null {
    return framed(this.#inner.end());
  }
}

/** Over an encoder of server-sent events; `edit` says what the events of this call have on top. */
export class InvokeEncoder implements StreamEncoder {
  readonly #inner: StreamEncoder;
  readonly #edit: ((event: string) => JsonObject | string) | undefined;

  constructor(inner: StreamEncoder, edit?: (event: string) => JsonObject | string) {
    this.#inner = inner;
    this.#edit = edit;
  }

  encode(part: StreamPart): Uint8Array {
    const told = this.#inner.encode(part);
    return framed(typeof told === 'string' ? Buffer.from(told) : told, this.#edit) ?? nothing;
  }
}

/** Over a decoder of server-sent events. */
export class InvokeDecoder implements StreamDecoder {
  readonly #events = new AwsChunkFraming();
  readonly #inner: StreamDecoder;

  constructor(inner: StreamDecoder) {
    this.#inner = inner;
  }

  push(chunk: Uint8Array, parts: StreamPart[]): void {
    const events = this.#events.push(chunk);
    if (events !== null) this.#inner.push(events, parts);
  }

  end(parts: StreamPart[]): void {
    this.#inner.end(parts);
  }
}

const reader = new EventReader();

/** Whole server-sent events as frames; what only ends a stream of those is no event here. */
function framed(events: Uint8Array | null, edit?: (event: string) => JsonObject | string): Buffer | null {
  if (events === null || events.length === 0) return null;
  const frames: Buffer[] = [];
  reader.open(Buffer.from(events).toString('latin1'));
  while (reader.next()) {
    if (reader.data === null || reader.data === '[DONE]') continue;
    const event = Buffer.from(reader.data, 'latin1').toString();
    frames.push(chunkFrame(edit === undefined ? event : edit(event)));
  }
  return frames.length === 0 ? null : Buffer.concat(frames);
}
