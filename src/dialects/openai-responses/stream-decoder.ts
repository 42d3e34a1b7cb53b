import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { StreamPart } from '../../core/neutral.ts';
import { EventDecoder, parseEventData, unreadableEvent } from '../event-decoder.ts';
import { failureFacts } from './errors.ts';
import { ItemDecoder } from './item-decoder.ts';
import { decodeFinish } from './response.ts';
import { decodeUsage } from './usage.ts';

/** https://platform.openai.com/docs/api-reference/responses-streaming */
export class ResponsesStreamDecoder extends EventDecoder {
  readonly #items = new Map<number, ItemDecoder>();
  #nextBlock = 0;
  #isStarted = false;
  #hasCalled = false;

  protected read(_name: string, data: string, parts: StreamPart[]): void {
    if (data === '' || data.startsWith('[DONE]')) return;
    const event = parseEventData(data);
    if (event === undefined) {
      parts.push(unreadableEvent());
      return;
    }
    const response = isJsonObject(event.response) ? event.response : undefined;
    switch (event.type) {
      case 'response.completed':
      case 'response.incomplete':
        this.#start(response ?? {}, parts);
        this.#finishWith(response ?? {}, parts);
        return;
      case 'error':
      case 'response.failed':
      case 'response.cancelled':
        parts.push(errorPart(event));
        return;
      default:
        if (typeof event.type !== 'string' && event.error !== undefined) parts.push(errorPart(event));
        else if (response !== undefined) this.#start(response, parts);
        else if (typeof event.output_index === 'number') this.#readItem(event.output_index, event, parts);
    }
  }

  protected finish(): void {
    // Without its last event the answer is cut short.
  }

  #start(response: JsonObject, parts: StreamPart[]): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    parts.push({
      type: 'start',
      id: typeof response.id === 'string' ? response.id : '',
      model: typeof response.model === 'string' ? response.model : '',
      createdAt: typeof response.created_at === 'number' ? response.created_at : undefined,
    });
  }

  #readItem(index: number, event: JsonObject, parts: StreamPart[]): void {
    const { type, item } = event;
    let decoder = this.#items.get(index);
    if (decoder === undefined) {
      // Events of an item that never began have nowhere to go.
      if (!isJsonObject(item)) return;
      decoder = new ItemDecoder(() => this.#nextBlock++, item);
      this.#items.set(index, decoder);
      if (item.type === 'function_call' || item.type === 'custom_tool_call') this.#hasCalled = true;
      if (type === 'response.output_item.done') decoder.begin(item, event, parts);
    }
    if (type === 'response.output_item.added' && isJsonObject(item)) decoder.begin(item, event, parts);
    else if (type === 'response.output_item.done' && isJsonObject(item)) decoder.finish(item, event, parts);
    else decoder.read(event, parts);
  }

  #finishWith(response: JsonObject, parts: StreamPart[]): void {
    const output = Array.isArray(response.output) ? response.output : [];
    for (const [index, item] of output.entries()) {
      // Servers without events of their own for an item tell it only here.
      if (isJsonObject(item) && !this.#items.has(index)) {
        const event = { type: 'response.output_item.done', output_index: index, item };
        this.#readItem(index, event, parts);
      }
    }
    for (const decoder of this.#items.values()) decoder.close(parts);
    const usage = decodeUsage(response.usage, response.service_tier, response.output);
    if (usage !== undefined) parts.push({ type: 'usage', usage });
    parts.push({ type: 'finish', choice: 0, reason: decodeFinish(response, this.#hasCalled) });
    parts.push({ type: 'end' });
  }
}

function errorPart(event: JsonObject): StreamPart {
  const { message, type, code, kind, status } = failureFacts(event);
  return { type: 'error', message, errorType: type, code, kind, status };
}
