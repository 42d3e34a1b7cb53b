import type { StreamDecoder, StreamEncoder, StreamProgress, StreamRelay } from '../../core/dialect.ts';
import type { StreamPart } from '../../core/neutral.ts';
import { newStreamProgress, observePart } from '../../core/stream-progress.ts';
import { encodedParts } from './translated-stream.ts';

/** More text than this is not sent to a second provider. */
const textBytesMax = 1024 * 1024;

/**
 * A stream that another provider can go on with after this one broke: the client's side is told by one encoder from
 * beginning to end, whoever writes. Only an answer that is plain text so far can be continued: half a tool call cannot be
 * completed by somebody else, nor can reasoning that its provider has signed.
 */
export class ContinuableStream implements StreamRelay {
  progress: StreamProgress = newStreamProgress();
  #decoder: StreamDecoder;
  readonly #encoder: StreamEncoder;
  readonly #parts: StreamPart[] = [];
  #text = '';
  #isPlainText = true;
  /** Highest block told to the client so far; -1 before the first. */
  #lastBlock = -1;
  /** The text block that is not closed yet. */
  #openBlock: number | null = null;
  #continuation: Continuation | null = null;

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

  /** What the next provider gets as the beginning of its own answer; null when nobody can go on with this one. */
  prefix(): string | null {
    const { finishReason } = this.progress;
    if (!this.#isPlainText || finishReason !== null || this.#text.length > textBytesMax) return null;
    // Providers refuse a beginning that ends in white space; `continueWith` takes it off the continuation instead.
    return this.#text.trimEnd();
  }

  /** From here on another provider's bytes come in. */
  continueWith(decoder: StreamDecoder): void {
    this.#decoder = decoder;
    this.#parts.length = 0;
    this.progress = newStreamProgress();
    const spaces = this.#text.slice(this.#text.trimEnd().length);
    this.#continuation = { spaces, openBlock: this.#openBlock, blocks: new Map(), dropped: new Set() };
  }

  #drain(): Uint8Array | null {
    if (this.#parts.length === 0) return null;
    const told: StreamPart[] = [];
    for (const part of this.#parts) {
      observePart(this.progress, part);
      const kept = this.#continuation === null ? part : this.#continued(part, this.#continuation);
      if (kept === null) continue;
      this.#remember(kept);
      told.push(kept);
    }
    this.#parts.length = 0;
    return told.length === 0 ? null : encodedParts(this.#encoder, told);
  }

  /** What becomes of a part of the second answer, which to the client is the rest of the first; null for nothing. */
  #continued(part: StreamPart, continuation: Continuation): StreamPart | null {
    switch (part.type) {
      case 'start':
        return null;
      case 'reasoning-start':
      case 'reasoning-delta':
      case 'reasoning-signature':
        // How the second model came to its words is no part of an answer that had begun.
        continuation.dropped.add(part.block);
        return null;
      case 'text-start':
        if (continuation.openBlock === null) break;
        continuation.blocks.set(part.block, continuation.openBlock);
        continuation.openBlock = null;
        return null;
      case 'text-delta': {
        const text = withoutSpaces(part.text, continuation);
        if (text === '') return null;
        return { ...part, block: this.#blockOf(part.block, continuation), text };
      }
      default:
        break;
    }
    if (!('block' in part)) return part;
    if (continuation.dropped.has(part.block)) return null;
    return { ...part, block: this.#blockOf(part.block, continuation) };
  }

  #blockOf(block: number, continuation: Continuation): number {
    let told = continuation.blocks.get(block);
    if (told === undefined) {
      told = this.#lastBlock + 1;
      continuation.blocks.set(block, told);
      this.#lastBlock = told;
    }
    return told;
  }

  #remember(part: StreamPart): void {
    if ('block' in part && part.block > this.#lastBlock) this.#lastBlock = part.block;
    switch (part.type) {
      case 'text-start':
        this.#openBlock = part.block;
        break;
      case 'text-delta':
        this.#text += part.text;
        break;
      case 'block-end':
        if (part.block === this.#openBlock) this.#openBlock = null;
        break;
      case 'reasoning-start':
      case 'reasoning-delta':
      case 'refusal-delta':
      case 'tool-call-start':
      case 'image':
      case 'vendor':
        this.#isPlainText = false;
        break;
      default:
        break;
    }
    if ('choice' in part && part.choice > 0) this.#isPlainText = false;
  }
}

interface Continuation {
  /** White space at the end of what the client has, which the continuation is likely to begin with again. */
  spaces: string;
  openBlock: number | null;
  /** The second answer's blocks → the client's. */
  readonly blocks: Map<number, number>;
  readonly dropped: Set<number>;
}

function withoutSpaces(text: string, continuation: Continuation): string {
  let index = 0;
  while (index < text.length && continuation.spaces !== '' && text[index] === continuation.spaces[0]) {
    continuation.spaces = continuation.spaces.slice(1);
    index += 1;
  }
  if (index < text.length) continuation.spaces = '';
  return text.slice(index);
}
