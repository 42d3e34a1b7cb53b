import { type AwsFrame, AwsFrameSplitter, awsFrames } from '../../core/aws-event-stream.ts';
import type { StreamRelay } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { newStreamProgress } from '../../core/stream-progress.ts';
import { exceptionFacts } from './errors.ts';
import { generatedBytes } from './response.ts';
import { decodeUsage } from './usage.ts';

/** Frames that stay in their format: all pass as they came, but for exceptions. */
export class ConverseRelay implements StreamRelay {
  readonly progress = newStreamProgress();
  readonly #splitter = new AwsFrameSplitter();
  #isStopped = false;

  push(chunk: Uint8Array): Uint8Array | null {
    const whole = this.#splitter.push(chunk);
    if (whole === null) return null;
    let passed = 0;
    for (const frame of awsFrames(whole)) {
      if (this.#isOver || !this.#read(frame)) break;
      passed = frame.payload.byteOffset - whole.byteOffset + frame.payload.length + 4;
    }
    return passed === 0 ? null : whole.subarray(0, passed);
  }

  /** The usage comes after the stop: without it the answer is whole all the same. */
  end(): Uint8Array | null {
    if (this.progress.ending === 'open' && this.#isStopped && !this.#splitter.isCut) this.progress.ending = 'complete';
    return null;
  }

  get #isOver(): boolean {
    return this.progress.ending !== 'open';
  }

  /** False for a failure, which is told in another way. */
  #read({ headers, payload }: AwsFrame): boolean {
    const { progress } = this;
    if (headers.get(':message-type') !== 'event') {
      const type = headers.get(':exception-type') ?? headers.get(':error-code') ?? 'internalServerException';
      progress.ending = 'error';
      progress.error = exceptionFacts(type, payload);
      return false;
    }
    progress.events += 1;
    this.#readEvent(headers.get(':event-type'), parsePayload(payload));
    return true;
  }

  #readEvent(type: string | undefined, event: JsonObject): void {
    const { progress } = this;
    switch (type) {
      case 'contentBlockStart':
        if (isJsonObject(event.start)) this.#generated(event.start);
        return;
      case 'contentBlockDelta':
        if (isJsonObject(event.delta)) this.#generated(event.delta);
        return;
      case 'messageStop':
        this.#isStopped = true;
        if (typeof event.stopReason === 'string') progress.finishReason = event.stopReason;
        return;
      case 'metadata':
        progress.usage = decodeUsage(event.usage, event.serviceTier);
        progress.usageComplete = progress.usage !== undefined;
        if (this.#isStopped) progress.ending = 'complete';
        return;
      default:
    }
  }

  #generated(content: JsonObject): void {
    const { progress } = this;
    progress.outputBytes += generatedBytes(content);
    progress.contentStarted = true;
  }
}

/** An event whose payload cannot be read says nothing. */
export function parsePayload(payload: Buffer): JsonObject {
  try {
    const event: unknown = JSON.parse(payload.toString());
    return isJsonObject(event) ? event : {};
  } catch {
    return {};
  }
}
