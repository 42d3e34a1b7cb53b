import type { StreamDecoder, StreamEncoder, StreamProgress, StreamRelay } from '../../core/dialect.ts';
import type { StreamPart } from '../../core/neutral.ts';
import { newStreamProgress, observePart } from '../../core/stream-progress.ts';

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
    for (const part of parts) observePart(this.progress, part);
    const told = encodedParts(this.#encoder, parts);
    parts.length = 0;
    return told;
  }
}

/** What an encoder says of some parts, in one piece; null for nothing. */
export function encodedParts(encoder: StreamEncoder, parts: Iterable<StreamPart>): Buffer | null {
  let text = '';
  let pieces: Uint8Array[] | null = null;
  for (const part of parts) {
    const piece = encoder.encode(part);
    if (typeof piece === 'string') {
      text += piece;
      continue;
    }
    pieces ??= [];
    if (text !== '') pieces.push(Buffer.from(text));
    text = '';
    pieces.push(piece);
  }
  if (pieces === null) return text === '' ? null : Buffer.from(text);
  if (text !== '') pieces.push(Buffer.from(text));
  return Buffer.concat(pieces);
}
