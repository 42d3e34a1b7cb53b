import { AwsFrameSplitter, awsFrames } from './aws-event-stream.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import type { StreamFraming } from './provider.ts';

/** Frames that hold an event in base64, as server-sent events. */
export class AwsChunkFraming implements StreamFraming {
  readonly #splitter = new AwsFrameSplitter();

  push(chunk: Uint8Array): Uint8Array | null {
    const whole = this.#splitter.push(chunk);
    if (whole === null) return null;
    let text = '';
    for (const { headers, payload } of awsFrames(whole)) {
      if (headers.get(':message-type') === 'event') text += eventOf(payload);
      else text += failure(headers.get(':exception-type') ?? headers.get(':error-code') ?? '', payload);
    }
    return text === '' ? null : Buffer.from(text);
  }
}

function eventOf(payload: Buffer): string {
  const told = parsed(payload);
  if (typeof told.bytes !== 'string') return '';
  const event = Buffer.from(told.bytes, 'base64').toString();
  const type = /"type":\s*"([a-z_]+)"/.exec(event)?.[1] ?? 'message';
  return `event: ${type}\ndata: ${event}\n\n`;
}

const types: Readonly<Record<string, string>> = {
  validationException: 'invalid_request_error',
  throttlingException: 'rate_limit_error',
  modelTimeoutException: 'timeout_error',
  serviceUnavailableException: 'overloaded_error',
};

function failure(exception: string, payload: Buffer): string {
  const told = parsed(payload);
  const message = typeof told.message === 'string' ? told.message : exception;
  const error = { type: 'error', error: { type: types[exception] ?? 'api_error', message } };
  return `event: error\ndata: ${JSON.stringify(error)}\n\n`;
}

function parsed(payload: Buffer): JsonObject {
  try {
    const told: unknown = JSON.parse(payload.toString());
    return isJsonObject(told) ? told : {};
  } catch {
    return {};
  }
}
