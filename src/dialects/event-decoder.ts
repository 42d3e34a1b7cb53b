import type { StreamDecoder } from '../core/dialect.ts';
import { GatewayError } from '../core/errors.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { StreamPart } from '../core/neutral.ts';
import { decodeLatin1, EventReader, EventSplitter } from '../core/server-sent-events.ts';

/** A decoder over server-sent events; a dialect says what the data of each event means. */
export abstract class EventDecoder implements StreamDecoder {
  readonly #splitter = new EventSplitter();
  readonly #reader = new EventReader();
  /** Set once `end` or `error` was told: nothing follows. */
  #isOver = false;

  protected abstract read(name: string, data: string, parts: StreamPart[]): void;

  /** The bytes are over without a terminal event: adds `end` when the format lets this count as complete. */
  protected abstract finish(parts: StreamPart[]): void;

  push(chunk: Uint8Array, parts: StreamPart[]): void {
    const whole = this.#splitter.push(chunk);
    if (whole !== null) this.#decode(whole, parts);
  }

  end(parts: StreamPart[]): void {
    const rest = this.#splitter.rest();
    if (rest !== null) this.#decode(rest, parts);
    if (!this.#isOver) this.finish(parts);
  }

  #decode(whole: Buffer, parts: StreamPart[]): void {
    const reader = this.#reader;
    reader.open(whole.toString('latin1'));
    while (!this.#isOver && reader.next()) {
      if (reader.data === null) continue;
      this.read(reader.name, decodeLatin1(reader.data), parts);
      const last = parts.at(-1)?.type;
      this.#isOver = last === 'end' || last === 'error';
    }
  }
}

/** The object in an event's data; undefined when it is something else. */
export function parseEventData(data: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function unreadableEvent(): StreamPart {
  return {
    type: 'error',
    message: 'The provider sent a stream event that is not JSON.',
    errorType: undefined,
    code: undefined,
    kind: undefined,
    status: undefined,
  };
}

/** A whole answer that is not in the provider's own format. */
export function notAnAnswer(missing: string): GatewayError {
  return new GatewayError(
    'upstream_connection',
    `The provider's answer is not in its own format: ${missing} is missing or of the wrong type.`,
  );
}
