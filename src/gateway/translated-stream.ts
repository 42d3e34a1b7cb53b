import type { StreamDecoder, StreamEncoder, StreamProgress, StreamRelay } from '../core/dialect.ts';
import type { StreamPart } from '../core/neutral.ts';
import { newStreamProgress, observePart } from '../core/stream-progress.ts';

/** A stream between two dialects, to the outside like one that stays in its own. */
export class TranslatedStream implements StreamRelay {
  readonly progress: StreamProgress = newStreamProgress();
  readonly #decoder: StreamDecoder;
  readonly #encoder: StreamEncoder;
  readonly #parts: StreamPart[] = [];

  constructor(decoder: StreamDecoder, encoder: StreamEncoder) {
    this.#decoder = decoder;
    this.#encoder = encoder;
  }

  push(chunk: Uint8Array): Uint8Array | null {
    this.#decoder.push(chunk, this.#parts);
    return this.#drain();
  }

  end(): Uint8Array | null {
    this.#decoder.end(this.#parts);
    return this.#drain();
  }

  #drain(): Uint8Array | null {
    const parts = this.#parts;
    if (parts.length === 0) return null;
    let text = '';
    for (const part of parts) {
      observePart(this.progress, part);
      text += this.#encoder.encode(part);
    }
    parts.length = 0;
    return text === '' ? null : Buffer.from(text);
  }
}
