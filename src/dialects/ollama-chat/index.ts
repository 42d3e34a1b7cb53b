import type { Dialect } from '../../core/dialect.ts';
import type { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { errorFacts } from '../error-facts.ts';
import { decodeChat, decodeGenerate } from './decode-request.ts';
import { encodeChat, encodeGenerate, passThrough } from './encode-request.ts';
import { inspectChat, inspectGenerate } from './inspect.ts';
import { ollamaResponse } from './response.ts';
import { chatShape, generateShape, type OllamaShape } from './shape.ts';
import { OllamaDecoder, OllamaRelay } from './stream.ts';
import { OllamaStreamEncoder } from './stream-encoder.ts';

function encodeError(error: GatewayError): JsonObject {
  return { error: error.message };
}

function answersIn(shape: OllamaShape) {
  return {
    passThrough,
    response: ollamaResponse(shape),
    relay: (options) => new OllamaRelay(shape, options),
    streamDecoder: () => new OllamaDecoder(shape),
    streamEncoder: (options) => new OllamaStreamEncoder(shape, options),
    errors: {
      encode: encodeError,
      streamEvent: (error) => Buffer.from(`${JSON.stringify(encodeError(error))}\n`),
      decode: (_status, body) => errorFacts(body),
    },
    // Every line is an object that clients read.
    heartbeat: null,
    streamContentType: 'application/x-ndjson',
  } satisfies Partial<Dialect>;
}

/** https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion */
export const ollamaChat: Dialect = Object.freeze({
  name: 'ollama-chat',
  operation: 'chat',
  inspect: inspectChat,
  request: { decode: decodeChat, encode: encodeChat },
  ...answersIn(chatShape),
} satisfies Dialect);

/** https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-completion */
export const ollamaGenerate: Dialect = Object.freeze({
  name: 'ollama-generate',
  operation: 'chat',
  conversationField: 'prompt',
  inspect: inspectGenerate,
  request: { decode: decodeGenerate, encode: encodeGenerate },
  ...answersIn(generateShape),
} satisfies Dialect);
