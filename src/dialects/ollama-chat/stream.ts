import type { AnswerOptions, StreamDecoder, StreamProgress, StreamRelay } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { editMembers } from '../../core/json-members.ts';
import type { StreamPart } from '../../core/neutral.ts';
import { newStreamProgress } from '../../core/stream-progress.ts';
import { factsOf } from '../error-facts.ts';
import { unreadableEvent } from '../event-decoder.ts';
import { decodeCall } from './decode-request.ts';
import { LineSplitter } from './lines.ts';
import { createdAtOf, decodeFinish, decodeUsage, generatedBytes } from './response.ts';
import type { OllamaShape } from './shape.ts';

const newline = Buffer.from('\n');
const choice = 0;

/** The object in a line; undefined when it is something else. */
function objectIn(line: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line.toString());
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Lines that stay in their format. */
export class OllamaRelay implements StreamRelay {
  readonly progress: StreamProgress = newStreamProgress();
  readonly #splitter = new LineSplitter();
  readonly #shape: OllamaShape;
  readonly #model: string | undefined;

  constructor(shape: OllamaShape, options: AnswerOptions) {
    this.#shape = shape;
    this.#model = options.model;
  }

  push(chunk: Uint8Array): Uint8Array | null {
    return this.#relay(this.#splitter.push(chunk));
  }

  end(): Uint8Array | null {
    return this.#relay(this.#splitter.rest());
  }

  #relay(lines: readonly Buffer[]): Uint8Array | null {
    const pieces: Buffer[] = [];
    for (const line of lines) {
      if (this.progress.ending !== 'open') break;
      const told = this.#line(line);
      if (told !== null) pieces.push(told, newline);
    }
    return pieces.length === 0 ? null : Buffer.concat(pieces);
  }

  #line(line: Buffer): Buffer | null {
    const { progress } = this;
    const body = objectIn(line);
    // A page in the place of a stream is no answer of a model.
    if (body === undefined && line.at(0) !== 123) return null;
    progress.events += 1;
    if (body === undefined || body.error !== undefined) {
      progress.ending = 'error';
      const facts = factsOf(body ?? { message: 'The provider sent a line that is not JSON.' });
      progress.error = { ...facts, status: undefined };
      return null;
    }
    if (typeof body.model === 'string') progress.responseModel ??= body.model;
    const said = this.#shape.read(body);
    const bytes = said === undefined ? 0 : generatedBytes(said);
    progress.outputBytes += bytes;
    if (bytes > 0) progress.contentStarted = true;
    if (body.done === true) {
      progress.ending = 'complete';
      progress.finishReason = typeof body.done_reason === 'string' ? body.done_reason : 'stop';
      progress.usage = decodeUsage(body);
      progress.usageComplete = progress.usage !== undefined;
    }
    if (this.#model === undefined || body.model === undefined || body.model === this.#model) return line;
    return editMembers(line, new Map([['model', this.#model]]));
  }
}

export class OllamaDecoder implements StreamDecoder {
  readonly #splitter = new LineSplitter();
  readonly #shape: OllamaShape;
  #isStarted = false;
  #isOver = false;
  #nextBlock = 0;
  #run: { readonly kind: 'text' | 'reasoning'; readonly block: number } | undefined;
  #calls = 0;

  constructor(shape: OllamaShape) {
    this.#shape = shape;
  }

  push(chunk: Uint8Array, parts: StreamPart[]): void {
    for (const line of this.#splitter.push(chunk)) this.#read(line, parts);
  }

  end(parts: StreamPart[]): void {
    for (const line of this.#splitter.rest()) this.#read(line, parts);
  }

  #read(line: Buffer, parts: StreamPart[]): void {
    if (this.#isOver) return;
    const body = objectIn(line);
    if (body === undefined) {
      if (line.at(0) !== 123) return;
      parts.push(unreadableEvent());
      this.#isOver = true;
      return;
    }
    if (body.error !== undefined) {
      const { message, type, code, kind } = factsOf(body);
      parts.push({ type: 'error', message, errorType: type, code, kind, status: undefined });
      this.#isOver = true;
      return;
    }
    this.#start(body, parts);
    const said = this.#shape.read(body);
    if (said !== undefined) {
      this.#text('reasoning', said.thinking, parts);
      this.#text('text', said.text, parts);
      for (const call of said.calls) this.#call(call, parts);
    }
    if (body.done === true) this.#finish(body, parts);
  }

  #start(body: JsonObject, parts: StreamPart[]): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const model = typeof body.model === 'string' ? body.model : '';
    parts.push({ type: 'start', id: '', model, createdAt: createdAtOf(body.created_at) });
  }

  #text(kind: 'text' | 'reasoning', text: string, parts: StreamPart[]): void {
    if (text === '') return;
    if (this.#run?.kind !== kind) {
      this.#closeRun(parts);
      this.#run = { kind, block: this.#nextBlock++ };
      parts.push({ type: `${kind}-start`, choice, block: this.#run.block });
    }
    parts.push({ type: `${kind}-delta`, choice, block: this.#run.block, text });
  }

  #closeRun(parts: StreamPart[]): void {
    if (this.#run !== undefined) parts.push({ type: 'block-end', choice, block: this.#run.block });
    this.#run = undefined;
  }

  /** Calls come whole. */
  #call(call: JsonObject, parts: StreamPart[]): void {
    this.#closeRun(parts);
    const { id, name, arguments: text } = decodeCall(call, this.#calls++);
    const block = this.#nextBlock++;
    parts.push({ type: 'tool-call-start', choice, block, id, name });
    parts.push({ type: 'tool-call-delta', choice, block, arguments: text });
    parts.push({ type: 'block-end', choice, block });
  }

  #finish(body: JsonObject, parts: StreamPart[]): void {
    this.#isOver = true;
    this.#closeRun(parts);
    const usage = decodeUsage(body);
    if (usage !== undefined) parts.push({ type: 'usage', usage });
    parts.push({ type: 'finish', choice, reason: decodeFinish(body.done_reason, this.#calls > 0) });
    parts.push({ type: 'end' });
  }
}
