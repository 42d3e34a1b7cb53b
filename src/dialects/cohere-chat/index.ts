import type { Dialect } from '../../core/dialect.ts';
import type { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { eventStreamType } from '../../core/server-sent-events.ts';
import { errorFacts } from '../error-facts.ts';
import { decodeCohere, encodeCohere, inspectCohere, passThrough } from './request.ts';
import { cohereResponse } from './response.ts';
import { CohereRelay, CohereStreamDecoder } from './stream.ts';
import { CohereStreamEncoder } from './stream-encoder.ts';

/** The last event of an answer that failed. */
function streamEvent(error: GatewayError): Uint8Array {
  const told: JsonObject = { type: 'message-end', delta: { finish_reason: 'ERROR', error: error.message } };
  return Buffer.from(`event: message-end\ndata: ${JSON.stringify(told)}\n\n`);
}

/** https://docs.cohere.com/reference/chat */
export const cohereChat: Dialect = Object.freeze({
  name: 'cohere-chat',
  operation: 'chat',
  inspect: inspectCohere,
  request: { decode: decodeCohere, encode: encodeCohere },
  passThrough,
  response: cohereResponse,
  relay: () => new CohereRelay(),
  streamDecoder: () => new CohereStreamDecoder(),
  streamEncoder: (options) => new CohereStreamEncoder(options),
  errors: {
    encode: (error, requestId) => ({ id: requestId, message: error.message }),
    streamEvent,
    decode: (_status, body) => errorFacts(body),
  },
  heartbeat: Buffer.from(': ping\n\n'),
  streamContentType: eventStreamType,
} satisfies Dialect);
