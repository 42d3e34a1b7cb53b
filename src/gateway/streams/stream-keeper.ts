import type { AnswerOptions, Dialect, StreamDecoder } from '../../core/dialect.ts';
import type { StreamPart } from '../../core/neutral.ts';
import type { Usage } from '../../core/usage.ts';
import { AnswerAssembly } from './assemble.ts';
import type { StreamedAnswer } from './streamed-answer.ts';

const keptBytesMax = 8 * 1024 * 1024;

/** Reads a stream along, as the client sees it, and puts the whole answer together for the cache and the records. */
export class StreamKeeper {
  readonly #dialect: Dialect;
  readonly #decoder: StreamDecoder;
  readonly #assembly = new AnswerAssembly();
  readonly #parts: StreamPart[] = [];
  #bytes = 0;
  #lost = false;

  constructor(dialect: Dialect, stream: StreamedAnswer) {
    this.#dialect = dialect;
    this.#decoder = dialect.streamDecoder();
    this.follow(stream);
  }

  /** Reads on with a stream that continues the one before. */
  follow(stream: StreamedAnswer): void {
    for (const chunk of stream.held()) this.#read(chunk);
    stream.tap = (chunk) => this.#read(chunk);
  }

  /** The answer as one body in the caller's dialect; null when it was too long to keep or could not be read. */
  whole(options: AnswerOptions, usage: Usage): Buffer | null {
    if (this.#lost) return null;
    try {
      this.#decoder.end(this.#parts);
      this.#take();
      return this.#told(options, usage);
    } catch {
      return null;
    }
  }

  /** What arrived of an answer that was not completed, as text; null when there is none. */
  text(): string | null {
    if (this.#lost) return null;
    let text = '';
    for (const { content } of this.#assembly.response(undefined).choices) {
      for (const block of content) if (block.type === 'text') text += block.text;
    }
    return text === '' ? null : text;
  }

  #told(options: AnswerOptions, usage: Usage): Buffer {
    const body = this.#dialect.response.encode(this.#assembly.response(usage), options);
    return Buffer.from(JSON.stringify(body));
  }

  #read(chunk: Uint8Array): void {
    if (this.#lost) return;
    this.#bytes += chunk.length;
    if (this.#bytes > keptBytesMax) {
      this.#lost = true;
      return;
    }
    try {
      this.#decoder.push(chunk, this.#parts);
      this.#take();
    } catch {
      this.#lost = true;
    }
  }

  #take(): void {
    for (const part of this.#parts) this.#assembly.add(part);
    this.#parts.length = 0;
  }
}
