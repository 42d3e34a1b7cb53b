import type { StreamDecoder } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { FinishReason, StreamPart } from '../../core/neutral.ts';
import { factsOf } from '../error-facts.ts';
import { EventDecoder, parseEventData, unreadableEvent } from '../event-decoder.ts';
import { JsonProgress } from '../json-progress.ts';
import { decodeReasoning } from './decode-messages.ts';
import { decodeFinishReason } from './finish-reason.ts';
import { decodeImages } from './images.ts';
import { generatedIn, isError, statusOf } from './relay.ts';
import { thinkingText } from './response.ts';
import { decodeUsage } from './usage.ts';

/** Chunks of chat or text completions, as parts. */
export function decodeChunks(): StreamDecoder {
  return new ChunkDecoder();
}

class ChunkDecoder extends EventDecoder {
  readonly #choices = new Map<number, ChoiceDecoder>();
  #isStarted = false;

  protected read(_name: string, data: string, parts: StreamPart[]): void {
    if (data === '') return;
    if (data.startsWith('[DONE]')) {
      for (const choice of this.#choices.values()) choice.close(parts);
      parts.push({ type: 'end' });
      return;
    }
    const chunk = parseEventData(data);
    if (chunk === undefined) parts.push(unreadableEvent());
    else if (isError(chunk)) {
      const { message, type, code, kind } = factsOf(chunk);
      parts.push({ type: 'error', message, errorType: type, code, kind, status: statusOf(chunk) });
    } else this.#readChunk(chunk, parts);
  }

  protected finish(parts: StreamPart[]): void {
    const choices = [...this.#choices.values()];
    if (choices.length > 0 && choices.every((choice) => choice.isFinished)) parts.push({ type: 'end' });
  }

  #readChunk(chunk: JsonObject, parts: StreamPart[]): void {
    const choices = Array.isArray(chunk.choices) ? chunk.choices : [];
    if (!this.#isStarted && choices.length > 0) {
      this.#isStarted = true;
      parts.push({
        type: 'start',
        id: typeof chunk.id === 'string' ? chunk.id : '',
        model: typeof chunk.model === 'string' ? chunk.model : '',
        createdAt: typeof chunk.created === 'number' ? chunk.created : undefined,
      });
    }
    for (const choice of choices) {
      if (!isJsonObject(choice)) continue;
      const index = typeof choice.index === 'number' ? choice.index : 0;
      let decoder = this.#choices.get(index);
      if (decoder === undefined) {
        decoder = new ChoiceDecoder(index);
        this.#choices.set(index, decoder);
      }
      decoder.read(choice, parts);
    }
    const usage = decodeUsage(chunk.usage, chunk.service_tier);
    if (usage !== undefined) parts.push({ type: 'usage', usage });
  }
}

interface OpenCall {
  readonly block: number;
  readonly json: JsonProgress;
}

type RunKind = 'text' | 'reasoning' | 'refusal';

/** Blocks have no bounds in this format: they are found by watching the kind of what arrives. */
class ChoiceDecoder {
  readonly #choice: number;
  #nextBlock = 0;
  /** The block of running text, if one is open. */
  #run: { readonly kind: RunKind; readonly block: number } | undefined;
  /** Tool calls by their index in the answer; their pieces may arrive mixed. */
  readonly #calls = new Map<number, OpenCall>();
  #hasCalled = false;
  isFinished = false;

  constructor(choice: number) {
    this.#choice = choice;
  }

  read(choice: JsonObject, parts: StreamPart[]): void {
    const delta = generatedIn(choice);
    this.#readReasoning(delta, parts);
    const text = typeof choice.text === 'string' ? choice.text : delta.content;
    if (typeof text === 'string') this.#readText('text', text, parts);
    else if (Array.isArray(text)) {
      for (const part of text.filter(isJsonObject)) {
        if (part.type === 'thinking') this.#readText('reasoning', thinkingText(part.thinking), parts);
        else if (typeof part.text === 'string') this.#readText('text', part.text, parts);
      }
    }
    for (const annotation of Array.isArray(delta.annotations) ? delta.annotations : []) {
      if (this.#run?.kind !== 'text') break;
      parts.push({ type: 'annotation', choice: this.#choice, block: this.#run.block, annotation });
    }
    for (const { source } of decodeImages(delta)) {
      this.#closeRun(parts);
      this.#closeWholeCalls(parts);
      parts.push({ type: 'image', choice: this.#choice, block: this.#nextBlock++, source });
    }
    if (typeof delta.refusal === 'string') this.#readText('refusal', delta.refusal, parts);
    for (const [position, call] of (Array.isArray(delta.tool_calls) ? delta.tool_calls : []).entries()) {
      if (isJsonObject(call)) this.#readCall(call, typeof call.index === 'number' ? call.index : position, parts);
    }
    if (isJsonObject(delta.function_call)) this.#readCall({ function: delta.function_call }, 0, parts);
    if (typeof choice.finish_reason === 'string' && !this.isFinished) {
      const stopSequence = typeof choice.stop_reason === 'string' ? { stopSequence: choice.stop_reason } : {};
      this.#finish(decodeFinishReason(choice.finish_reason), stopSequence, parts);
    }
  }

  /** The stream says it is over; a choice without a reason of its own has stopped. */
  close(parts: StreamPart[]): void {
    if (!this.isFinished) this.#finish('stop', {}, parts);
  }

  #finish(reason: FinishReason, stopSequence: { stopSequence?: string }, parts: StreamPart[]): void {
    this.isFinished = true;
    this.#closeRun(parts);
    for (const call of this.#calls.values()) parts.push({ type: 'block-end', choice: this.#choice, block: call.block });
    this.#calls.clear();
    const told = reason === 'stop' && this.#hasCalled ? 'tool_calls' : reason;
    parts.push({ type: 'finish', choice: this.#choice, reason: told, ...stopSequence });
  }

  #readReasoning(delta: JsonObject, parts: StreamPart[]): void {
    const plain = [delta.reasoning_content, delta.reasoning].find((value) => typeof value === 'string' && value !== '');
    if (typeof plain === 'string') this.#readText('reasoning', plain, parts);
    if (!Array.isArray(delta.thinking_blocks)) return;
    for (const block of decodeReasoning({ thinking_blocks: delta.thinking_blocks })) {
      if (block.redacted !== undefined) {
        this.#closeRun(parts);
        const number = this.#nextBlock++;
        parts.push({ type: 'reasoning-start', choice: this.#choice, block: number, redacted: block.redacted });
        parts.push({ type: 'block-end', choice: this.#choice, block: number });
        continue;
      }
      // The same text usually stands in `reasoning_content` as well.
      if (plain === undefined) this.#readText('reasoning', block.text, parts);
      if (block.signature !== undefined) {
        const number = this.#openRun('reasoning', parts);
        parts.push({ type: 'reasoning-signature', choice: this.#choice, block: number, signature: block.signature });
        // A signature is the last of its block.
        this.#closeRun(parts);
      }
    }
  }

  #readText(kind: RunKind, text: string, parts: StreamPart[]): void {
    if (text === '') return;
    const block = this.#openRun(kind, parts);
    parts.push({ type: `${kind}-delta`, choice: this.#choice, block, text });
  }

  #openRun(kind: RunKind, parts: StreamPart[]): number {
    if (this.#run?.kind === kind) return this.#run.block;
    this.#closeRun(parts);
    this.#closeWholeCalls(parts);
    const block = this.#nextBlock++;
    this.#run = { kind, block };
    if (kind !== 'refusal') parts.push({ type: `${kind}-start`, choice: this.#choice, block });
    return block;
  }

  #closeRun(parts: StreamPart[]): void {
    if (this.#run === undefined) return;
    parts.push({ type: 'block-end', choice: this.#choice, block: this.#run.block });
    this.#run = undefined;
  }

  #readCall(call: JsonObject, index: number, parts: StreamPart[]): void {
    const called = isJsonObject(call.function) ? call.function : {};
    let open = this.#calls.get(index);
    const isNew = open === undefined || (typeof call.id === 'string' && call.id !== '' && open.json.isWhole);
    if (isNew) {
      // Pieces of a call that has ended already, or that never began, have nowhere to go.
      if (typeof called.name !== 'string') return;
      this.#closeRun(parts);
      this.#closeWholeCalls(parts);
      this.#hasCalled = true;
      open = { block: this.#nextBlock++, json: new JsonProgress() };
      this.#calls.set(index, open);
      const id = typeof call.id === 'string' && call.id !== '' ? call.id : `call_${open.block}`;
      parts.push({ type: 'tool-call-start', choice: this.#choice, block: open.block, id, name: called.name });
    }
    const text = called.arguments;
    if (open === undefined || typeof text !== 'string' || text === '') return;
    open.json.add(text);
    parts.push({ type: 'tool-call-delta', choice: this.#choice, block: open.block, arguments: text });
    // Others have begun in the meantime: let them go on.
    if (open.json.isWhole && this.#calls.size > 1) this.#closeWholeCalls(parts);
  }

  #closeWholeCalls(parts: StreamPart[]): void {
    for (const [index, call] of this.#calls) {
      if (!call.json.isWhole) continue;
      this.#calls.delete(index);
      parts.push({ type: 'block-end', choice: this.#choice, block: call.block });
    }
  }
}
