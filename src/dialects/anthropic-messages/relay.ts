import type { AnswerOptions } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { editMembers, findMember } from '../../core/json-members.ts';
import { decodeLatin1 } from '../../core/server-sent-events.ts';
import { factsOf } from '../error-facts.ts';
import { parseEventData } from '../event-decoder.ts';
import { EventRelay, type EventVerdict, passEvent } from '../event-relay.ts';
import { TextHole } from '../text-hole.ts';
import { statusOfType } from './errors.ts';
import { generatedBytes } from './response.ts';
import { decodeUsage } from './usage.ts';

const textNames: Readonly<Record<string, string>> = {
  text_delta: 'text',
  thinking_delta: 'thinking',
  input_json_delta: 'partial_json',
};

/** Message events that stay in their format. Usage is always told in it, so nothing is taken out. */
export class MessageRelay extends EventRelay {
  readonly #model: string | undefined;
  readonly #hole = new TextHole();

  constructor(options: AnswerOptions) {
    super();
    this.#model = options.model;
  }

  protected judge(_name: string, data: string): EventVerdict {
    // Deltas differ in their text and in the spaces the provider pads them with.
    const hole = this.#hole.measure(withoutPadding(data));
    if (hole !== -1) {
      this.progress.outputBytes += hole;
      return passEvent;
    }
    if (data === '') return passEvent;
    const event = parseEventData(decodeLatin1(data));
    if (event === undefined) return this.failUnreadable();
    switch (event.type) {
      case 'message_start':
        return this.#startMessage(event, data);
      case 'content_block_start':
        if (isJsonObject(event.content_block)) this.#startBlock(event.content_block);
        return passEvent;
      case 'content_block_delta':
        if (isJsonObject(event.delta)) this.#addDelta(event.delta, data);
        return passEvent;
      case 'message_delta':
        this.#finishMessage(event);
        return passEvent;
      case 'message_stop':
        this.progress.ending = 'complete';
        return passEvent;
      case 'error': {
        const facts = factsOf(event);
        return this.fail(facts, statusOfType(facts.type));
      }
      case 'ping':
        // Pings are no sign of life of the model.
        this.progress.events -= 1;
        return passEvent;
      default:
        return event.error === undefined ? passEvent : this.fail(factsOf(event), undefined);
    }
  }

  protected finish(): string {
    // Without message_stop the message is cut short.
    return '';
  }

  #startMessage(event: JsonObject, data: string): EventVerdict {
    const { progress } = this;
    const message = isJsonObject(event.message) ? event.message : {};
    if (typeof message.id === 'string') progress.responseId = message.id;
    if (typeof message.model === 'string') progress.responseModel = message.model;
    progress.usage = decodeUsage(message.usage);
    return this.#model === undefined ? passEvent : restamped(data, this.#model);
  }

  #startBlock(content: JsonObject): void {
    // Text and thinking begin empty; everything else is content from its first event on.
    const bytes = generatedBytes(content);
    this.progress.outputBytes += bytes;
    if (bytes > 0) this.progress.contentStarted = true;
  }

  #addDelta(delta: JsonObject, data: string): void {
    const name = typeof delta.type === 'string' ? textNames[delta.type] : undefined;
    const text = name === undefined ? undefined : delta[name];
    if (typeof text === 'string' && text !== '') {
      this.progress.contentStarted = true;
      this.progress.outputBytes += Buffer.byteLength(text);
      const padded = withoutPadding(data);
      this.#hole.learn(padded, padded.includes(`"${name}":"`) ? `"${name}":"` : `"${name}": "`, (head) => head);
    }
  }

  #finishMessage(event: JsonObject): void {
    const { progress } = this;
    if (isJsonObject(event.delta) && typeof event.delta.stop_reason === 'string') {
      progress.finishReason = event.delta.stop_reason;
    }
    if (!isJsonObject(event.usage)) return;
    progress.usage = decodeUsage(event.usage, progress.usage);
    progress.usageComplete = progress.usage !== undefined;
  }
}

/** The model stands inside the `message` of the event. */
function restamped(data: string, model: string): EventVerdict {
  const bytes = Buffer.from(data, 'latin1');
  const message = findMember(bytes, 'message');
  if (message === undefined) return passEvent;
  const edited = editMembers(bytes.subarray(message.valueStart, message.valueEnd), new Map([['model', model]]));
  const instead = Buffer.concat([bytes.subarray(0, message.valueStart), edited, bytes.subarray(message.valueEnd)]);
  return { skip: data.length, instead };
}

/** Spaces before the last brace are padding against traffic analysis. */
function withoutPadding(data: string): string {
  let end = data.length - 1;
  if (data.charCodeAt(end) !== 125 || data.charCodeAt(end - 1) !== 32) return data;
  while (data.charCodeAt(end - 1) === 32) end -= 1;
  return `${data.slice(0, end)}}`;
}
