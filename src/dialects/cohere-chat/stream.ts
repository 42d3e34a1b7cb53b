import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { StreamPart } from '../../core/neutral.ts';
import { decodeLatin1 } from '../../core/server-sent-events.ts';
import { factsOf } from '../error-facts.ts';
import { EventDecoder, parseEventData, unreadableEvent } from '../event-decoder.ts';
import { EventRelay, type EventVerdict, passEvent } from '../event-relay.ts';
import { decodeFinish, decodeUsage, generatedBytes } from './response.ts';

/* https://docs.cohere.com/v2/docs/streaming */

const choice = 0;

/** The message inside an event's delta. */
function messageOf(event: JsonObject): JsonObject {
  const delta = isJsonObject(event.delta) ? event.delta : {};
  return isJsonObject(delta.message) ? delta.message : {};
}

/** What went wrong, where the last event says so; or an event that is nothing but an error. */
function failureOf(event: JsonObject): JsonObject | undefined {
  const delta = isJsonObject(event.delta) ? event.delta : {};
  if (event.type === 'message-end' && decodeFinish(delta.finish_reason) === undefined) {
    const message = typeof delta.error === 'string' ? delta.error : 'The provider could not complete the answer.';
    return { message };
  }
  return event.type === undefined && event.message !== undefined ? event : undefined;
}

/** Events that stay in their format. No answer of this format names its model. */
export class CohereRelay extends EventRelay {
  protected judge(_name: string, data: string): EventVerdict {
    if (data === '' || data.startsWith('[DONE]')) return passEvent;
    const event = parseEventData(decodeLatin1(data));
    if (event === undefined) return this.failUnreadable();
    const { progress } = this;
    const failure = failureOf(event);
    if (failure !== undefined) return this.fail(factsOf(failure), undefined);
    if (event.type === 'message-start') {
      if (typeof event.id === 'string') progress.responseId = event.id;
    } else if (event.type === 'message-end') {
      const delta = isJsonObject(event.delta) ? event.delta : {};
      progress.usage = decodeUsage(delta.usage);
      progress.usageComplete = progress.usage !== undefined;
      progress.finishReason = typeof delta.finish_reason === 'string' ? delta.finish_reason : null;
      progress.ending = 'complete';
    } else {
      const bytes = generatedBytes(messageOf(event));
      progress.outputBytes += bytes;
      if (bytes > 0) progress.contentStarted = true;
    }
    return passEvent;
  }

  protected finish(): string {
    // Without message-end the answer is cut short.
    return '';
  }
}

export class CohereStreamDecoder extends EventDecoder {
  /** Blocks by what they are and their place: texts and calls are numbered apart. */
  readonly #blocks = new Map<string, number>();
  readonly #kinds = new Map<number, 'text' | 'reasoning' | 'call'>();
  #nextBlock = 0;
  #lastText: number | undefined;

  protected read(_name: string, data: string, parts: StreamPart[]): void {
    if (data === '' || data.startsWith('[DONE]')) return;
    const event = parseEventData(data);
    if (event === undefined) {
      parts.push(unreadableEvent());
      return;
    }
    const failure = failureOf(event);
    if (failure !== undefined) {
      const { message, code, kind } = factsOf(failure);
      parts.push({ type: 'error', message, errorType: undefined, code, kind, status: undefined });
      return;
    }
    const message = messageOf(event);
    const index = typeof event.index === 'number' ? event.index : 0;
    switch (event.type) {
      case 'message-start':
        parts.push({
          type: 'start',
          id: typeof event.id === 'string' ? event.id : '',
          model: '',
          createdAt: undefined,
        });
        return;
      case 'content-start':
      case 'content-delta':
        if (isJsonObject(message.content)) this.#content(index, message.content, parts);
        return;
      case 'content-end':
        this.#end(`content ${index}`, parts);
        return;
      case 'tool-plan-delta':
        if (typeof message.tool_plan === 'string') this.#text('plan', message.tool_plan, parts);
        return;
      case 'tool-call-start':
        this.#end('plan', parts);
        if (isJsonObject(message.tool_calls)) this.#startCall(index, message.tool_calls, parts);
        return;
      case 'tool-call-delta':
        if (isJsonObject(message.tool_calls)) this.#arguments(index, message.tool_calls, parts);
        return;
      case 'tool-call-end':
        this.#end(`call ${index}`, parts);
        return;
      case 'citation-start':
        if (isJsonObject(message.citations) && this.#lastText !== undefined) {
          parts.push({ type: 'annotation', choice, block: this.#lastText, annotation: message.citations });
        }
        return;
      case 'message-end':
        this.#finish(isJsonObject(event.delta) ? event.delta : {}, parts);
        return;
      default:
      // The provider reserves the right to add events.
    }
  }

  protected finish(): void {
    // Without message-end the answer is cut short.
  }

  #content(index: number, content: JsonObject, parts: StreamPart[]): void {
    const key = `content ${index}`;
    if (content.type === 'thinking' || typeof content.thinking === 'string') {
      const block = this.#open(key, 'reasoning', parts);
      const text = typeof content.thinking === 'string' ? content.thinking : '';
      if (text !== '') parts.push({ type: 'reasoning-delta', choice, block, text });
    } else this.#text(key, typeof content.text === 'string' ? content.text : '', parts);
  }

  #text(key: string, text: string, parts: StreamPart[]): void {
    const block = this.#open(key, 'text', parts);
    this.#lastText = block;
    if (text !== '') parts.push({ type: 'text-delta', choice, block, text });
  }

  #open(key: string, kind: 'text' | 'reasoning', parts: StreamPart[]): number {
    const known = this.#blocks.get(key);
    if (known !== undefined) return known;
    const block = this.#nextBlock++;
    this.#blocks.set(key, block);
    this.#kinds.set(block, kind);
    parts.push({ type: `${kind}-start`, choice, block });
    return block;
  }

  #startCall(index: number, call: JsonObject, parts: StreamPart[]): void {
    const block = this.#nextBlock++;
    this.#blocks.set(`call ${index}`, block);
    this.#kinds.set(block, 'call');
    const called = isJsonObject(call.function) ? call.function : {};
    parts.push({ type: 'tool-call-start', choice, block, id: String(call.id), name: String(called.name) });
    this.#arguments(index, call, parts);
  }

  #arguments(index: number, call: JsonObject, parts: StreamPart[]): void {
    const block = this.#blocks.get(`call ${index}`);
    const text = isJsonObject(call.function) ? call.function.arguments : undefined;
    if (block === undefined || typeof text !== 'string' || text === '') return;
    parts.push({ type: 'tool-call-delta', choice, block, arguments: text });
  }

  /** Citations of a text come after it: it stays open until something else begins, or all ends. */
  #end(key: string, parts: StreamPart[]): void {
    const block = this.#blocks.get(key);
    if (block === undefined || !this.#kinds.has(block)) return;
    if (key !== 'plan' && this.#kinds.get(block) === 'text') return;
    this.#kinds.delete(block);
    parts.push({ type: 'block-end', choice, block });
  }

  #finish(delta: JsonObject, parts: StreamPart[]): void {
    for (const block of this.#kinds.keys()) parts.push({ type: 'block-end', choice, block });
    this.#kinds.clear();
    const usage = decodeUsage(delta.usage);
    if (usage !== undefined) parts.push({ type: 'usage', usage });
    parts.push({ type: 'finish', choice, reason: decodeFinish(delta.finish_reason) ?? 'stop' });
    parts.push({ type: 'end' });
  }
}
