import type { AnswerOptions } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { editMembers, findMember } from '../../core/json-members.ts';
import { decodeLatin1 } from '../../core/server-sent-events.ts';
import { parseEventData } from '../event-decoder.ts';
import { EventRelay, type EventVerdict, passEvent } from '../event-relay.ts';
import { failureFacts } from './errors.ts';
import { generatedBytes, restamp } from './response.ts';
import { decodeUsage } from './usage.ts';

/** Events of the Responses format that stay in it. */
export class ResponsesRelay extends EventRelay {
  readonly #options: AnswerOptions;

  constructor(options: AnswerOptions) {
    super();
    this.#options = options;
  }

  protected judge(_name: string, data: string): EventVerdict {
    if (data === '' || data.startsWith('[DONE]')) return passEvent;
    const event = parseEventData(decodeLatin1(data));
    if (event === undefined) return this.failUnreadable();
    const { type } = event;
    if (typeof type !== 'string') return event.error === undefined ? passEvent : this.#failed(event);
    if (typeof event.delta === 'string') return this.#addDelta(type, event.delta);
    switch (type) {
      case 'response.output_item.added':
      case 'response.output_item.done':
        if (isJsonObject(event.item)) this.#sawItem(event.item, type.endsWith('done'));
        return passEvent;
      case 'response.completed':
      case 'response.incomplete':
        this.#finish(isJsonObject(event.response) ? event.response : {});
        return this.#restamped(event, data);
      case 'error':
      case 'response.failed':
      case 'response.cancelled':
        return this.#failed(event);
      default:
        if (isJsonObject(event.response)) {
          const { id, model } = event.response;
          if (typeof id === 'string') this.progress.responseId = id;
          if (typeof model === 'string') this.progress.responseModel = model;
          return this.#restamped(event, data);
        }
        return passEvent;
    }
  }

  protected finish(): string {
    // Without its last event the answer is cut short.
    return '';
  }

  #failed(event: JsonObject): EventVerdict {
    const { status, ...facts } = failureFacts(event);
    return this.fail(facts, status);
  }

  #addDelta(type: string, delta: string): EventVerdict {
    // Audio is counted by its seconds, not by its letters.
    if (delta !== '' && !type.includes('audio')) {
      this.progress.contentStarted = true;
      this.progress.outputBytes += Buffer.byteLength(delta);
    }
    return passEvent;
  }

  /** Messages and reasoning begin empty; calls, and what the provider's own tools do, are content from the first event on. */
  #sawItem(item: JsonObject, isDone: boolean): void {
    const { progress } = this;
    if (item.type === 'message') return;
    if (item.type === 'reasoning') {
      if (isDone && typeof item.encrypted_content === 'string' && item.encrypted_content !== '') {
        progress.contentStarted = true;
      }
      return;
    }
    progress.contentStarted = true;
    if (!isDone && typeof item.name === 'string') progress.outputBytes += Buffer.byteLength(item.name);
  }

  #finish(response: JsonObject): void {
    const { progress } = this;
    progress.ending = 'complete';
    if (typeof response.id === 'string') progress.responseId = response.id;
    if (typeof response.model === 'string') progress.responseModel = response.model;
    progress.usage = decodeUsage(response.usage, response.service_tier, response.output);
    progress.usageComplete = progress.usage !== undefined;
    const details = isJsonObject(response.incomplete_details) ? response.incomplete_details : {};
    progress.finishReason = typeof details.reason === 'string' ? details.reason : 'completed';
    if (progress.usage === undefined && Array.isArray(response.output)) {
      // Servers without deltas tell everything at the end.
      const told = response.output.filter(isJsonObject).reduce((sum, item) => sum + generatedBytes(item), 0);
      progress.outputBytes = Math.max(progress.outputBytes, told);
    }
    if (Array.isArray(response.output) && response.output.length > 0) progress.contentStarted = true;
  }

  #restamped(event: JsonObject, data: string): EventVerdict {
    const edits = restamp(event.response as JsonObject, this.#options);
    if (edits.size === 0) return passEvent;
    const bytes = Buffer.from(data, 'latin1');
    const response = findMember(bytes, 'response');
    if (response === undefined) return passEvent;
    const edited = editMembers(bytes.subarray(response.valueStart, response.valueEnd), edits);
    const instead = Buffer.concat([bytes.subarray(0, response.valueStart), edited, bytes.subarray(response.valueEnd)]);
    return { skip: data.length, instead };
  }
}
