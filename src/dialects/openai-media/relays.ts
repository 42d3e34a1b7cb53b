import type { StreamProgress, StreamRelay } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import { decodeLatin1 } from '../../core/server-sent-events.ts';
import { newStreamProgress } from '../../core/stream-progress.ts';
import type { Usage } from '../../core/usage.ts';
import { factsOf } from '../error-facts.ts';
import { parseEventData } from '../event-decoder.ts';
import { EventRelay, type EventVerdict, passEvent } from '../event-relay.ts';
import { isError, statusOf } from '../openai-chat/relay.ts';
import { mediaUsage, plusUsage } from './usage.ts';

/** Bytes as they come. Their end is the connection's: one that breaks is an error of the transport. */
export class RawRelay implements StreamRelay {
  readonly progress: StreamProgress = newStreamProgress();
  readonly rawContentType: string;

  constructor(contentType: string, usage: Usage | undefined) {
    this.rawContentType = contentType;
    this.progress.usage = usage;
    this.progress.usageComplete = usage !== undefined;
  }

  push(chunk: Uint8Array): Uint8Array {
    this.progress.contentStarted = true;
    this.progress.events += 1;
    return chunk;
  }

  end(): null {
    // Nothing at all is no sound and no text.
    if (this.progress.contentStarted) this.progress.ending = 'complete';
    return null;
  }
}

/** Events of images, speech and transcripts that stay in their format: each part, then `….completed` or `….done`. */
export class MediaEventRelay extends EventRelay {
  #isDone = false;

  protected judge(name: string, data: string): EventVerdict {
    if (data === '' || data === '[DONE]') return passEvent;
    const event = parseEventData(decodeLatin1(data));
    if (event === undefined) return this.failUnreadable();
    const type = typeof event.type === 'string' ? event.type : name;
    if (isError(event) || type === 'error') return this.fail(factsOf(event), statusOf(event));
    this.progress.contentStarted = true;
    if (typeof event.delta === 'string') this.progress.outputBytes += Buffer.byteLength(event.delta);
    if (!/\.(completed|done)$/.test(type)) return passEvent;
    this.#isDone = true;
    this.progress.usage = plusUsage(this.progress.usage, mediaUsage(event.usage));
    this.progress.usageComplete = this.progress.usage !== undefined;
    return passEvent;
  }

  /** Several images end one by one: over is what ends after at least one did. */
  protected finish(): string {
    if (this.#isDone) this.progress.ending = 'complete';
    return '';
  }
}

export function eventText(event: JsonObject): string {
  return `event: ${String(event.type)}\ndata: ${JSON.stringify(event)}\n\n`;
}
