import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { FinishReason, StreamPart } from '../../core/neutral.ts';
import type { Usage } from '../../core/usage.ts';
import { factsOf } from '../error-facts.ts';
import { EventDecoder, parseEventData, unreadableEvent } from '../event-decoder.ts';
import { jsonToolName } from './decode-content.ts';
import { statusOfType } from './errors.ts';
import { decodeStopReason } from './stop-reason.ts';
import { decodeUsage } from './usage.ts';

const dialect = 'anthropic-messages';
const choice = 0;

/** What an open block is, so that its deltas find their way. `structured` is the stand-in tool: a text to the caller. */
type BlockKind = 'text' | 'reasoning' | 'call' | 'structured' | 'vendor';

/** https://docs.anthropic.com/en/api/messages-streaming */
export class MessageStreamDecoder extends EventDecoder {
  readonly #kinds = new Map<number, BlockKind>();
  /** Calls that have shown no arguments yet. */
  readonly #silentCalls = new Set<number>();
  #usage: Usage | undefined;
  #hasCalled = false;
  #isStructured = false;
  #isFinished = false;

  protected read(_name: string, data: string, parts: StreamPart[]): void {
    if (data === '') return;
    const event = parseEventData(data);
    if (event === undefined) {
      parts.push(unreadableEvent());
      return;
    }
    const block = typeof event.index === 'number' ? event.index : 0;
    switch (event.type) {
      case 'message_start':
        this.#startMessage(isJsonObject(event.message) ? event.message : {}, parts);
        return;
      case 'content_block_start':
        if (isJsonObject(event.content_block)) this.#startBlock(block, event.content_block, event, parts);
        return;
      case 'content_block_delta':
        if (isJsonObject(event.delta)) this.#addDelta(block, event.delta, event, parts);
        return;
      case 'content_block_stop':
        this.#stopBlock(block, event, parts);
        return;
      case 'message_delta':
        this.#finishMessage(event, parts);
        return;
      case 'message_stop':
        if (!this.#isFinished) parts.push({ type: 'finish', choice, reason: this.#reason('stop') });
        parts.push({ type: 'end' });
        return;
      case 'ping':
        parts.push({ type: 'ping' });
        return;
      case 'error': {
        const { message, type, code, kind } = factsOf(event);
        parts.push({ type: 'error', message, errorType: type, code, kind, status: statusOfType(type) });
        return;
      }
      default:
      // The provider reserves the right to add events.
    }
  }

  protected finish(): void {
    // Without message_stop the message is cut short.
  }

  #startMessage(message: JsonObject, parts: StreamPart[]): void {
    this.#usage = decodeUsage(message.usage);
    parts.push({
      type: 'start',
      id: typeof message.id === 'string' ? message.id : '',
      model: typeof message.model === 'string' ? message.model : '',
      createdAt: undefined,
      ...(this.#usage === undefined ? {} : { usage: this.#usage }),
    });
  }

  #startBlock(block: number, content: JsonObject, event: JsonObject, parts: StreamPart[]): void {
    const text = (value: unknown) => (typeof value === 'string' ? value : '');
    switch (content.type) {
      case 'text':
        this.#kinds.set(block, 'text');
        parts.push({ type: 'text-start', choice, block });
        if (text(content.text) !== '') parts.push({ type: 'text-delta', choice, block, text: text(content.text) });
        return;
      case 'thinking':
        this.#kinds.set(block, 'reasoning');
        parts.push({ type: 'reasoning-start', choice, block });
        if (text(content.thinking) !== '') {
          parts.push({ type: 'reasoning-delta', choice, block, text: text(content.thinking) });
        }
        if (text(content.signature) !== '') {
          parts.push({ type: 'reasoning-signature', choice, block, signature: text(content.signature) });
        }
        return;
      case 'redacted_thinking':
        this.#kinds.set(block, 'reasoning');
        parts.push({ type: 'reasoning-start', choice, block, redacted: text(content.data) });
        return;
      case 'tool_use':
        this.#startCall(block, content, parts);
        return;
      default:
        this.#kinds.set(block, 'vendor');
        parts.push({ type: 'vendor', choice, block, dialect, event });
    }
  }

  #startCall(block: number, content: JsonObject, parts: StreamPart[]): void {
    const isWhole = isJsonObject(content.input) && Object.keys(content.input).length > 0;
    const input = isWhole ? JSON.stringify(content.input) : '';
    if (content.name === jsonToolName) {
      this.#isStructured = true;
      this.#kinds.set(block, 'structured');
      parts.push({ type: 'text-start', choice, block });
      if (isWhole) parts.push({ type: 'text-delta', choice, block, text: input });
      return;
    }
    this.#hasCalled = true;
    this.#kinds.set(block, 'call');
    parts.push({ type: 'tool-call-start', choice, block, id: String(content.id), name: String(content.name) });
    if (isWhole) parts.push({ type: 'tool-call-delta', choice, block, arguments: input });
    else this.#silentCalls.add(block);
  }

  #stopBlock(block: number, event: JsonObject, parts: StreamPart[]): void {
    if (this.#kinds.get(block) === 'vendor') parts.push({ type: 'vendor', choice, block, dialect, event });
    else {
      // A call without arguments says nothing here; others want JSON to parse.
      if (this.#silentCalls.delete(block)) parts.push({ type: 'tool-call-delta', choice, block, arguments: '{}' });
      parts.push({ type: 'block-end', choice, block });
    }
    this.#kinds.delete(block);
  }

  #addDelta(block: number, delta: JsonObject, event: JsonObject, parts: StreamPart[]): void {
    const kind = this.#kinds.get(block);
    if (delta.type === 'text_delta' && typeof delta.text === 'string') {
      parts.push({ type: 'text-delta', choice, block, text: delta.text });
    } else if (delta.type === 'thinking_delta' && typeof delta.thinking === 'string') {
      parts.push({ type: 'reasoning-delta', choice, block, text: delta.thinking });
    } else if (delta.type === 'signature_delta' && typeof delta.signature === 'string') {
      parts.push({ type: 'reasoning-signature', choice, block, signature: delta.signature });
    } else if (delta.type === 'citations_delta' && isJsonObject(delta.citation) && kind === 'text') {
      parts.push({ type: 'annotation', choice, block, annotation: delta.citation });
    } else if (delta.type === 'input_json_delta' && typeof delta.partial_json === 'string' && kind !== 'vendor') {
      if (delta.partial_json === '') return;
      this.#silentCalls.delete(block);
      if (kind === 'structured') parts.push({ type: 'text-delta', choice, block, text: delta.partial_json });
      else parts.push({ type: 'tool-call-delta', choice, block, arguments: delta.partial_json });
    } else parts.push({ type: 'vendor', choice, block, dialect, event });
  }

  #finishMessage(event: JsonObject, parts: StreamPart[]): void {
    const delta = isJsonObject(event.delta) ? event.delta : {};
    if (typeof delta.stop_reason === 'string' && !this.#isFinished) {
      this.#isFinished = true;
      const stopSequence = typeof delta.stop_sequence === 'string' ? { stopSequence: delta.stop_sequence } : {};
      parts.push({
        type: 'finish',
        choice,
        reason: this.#reason(decodeStopReason(delta.stop_reason)),
        ...stopSequence,
      });
    }
    if (!isJsonObject(event.usage)) return;
    this.#usage = decodeUsage(event.usage, this.#usage);
    if (this.#usage !== undefined) parts.push({ type: 'usage', usage: this.#usage });
  }

  #reason(reason: FinishReason): FinishReason {
    return reason === 'tool_calls' && this.#isStructured && !this.#hasCalled ? 'stop' : reason;
  }
}
