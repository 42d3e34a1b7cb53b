import type { Dialect } from '../../core/dialect.ts';
import { eventStreamType } from '../../core/server-sent-events.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeRequest } from './encode-request.ts';
import { googleErrors } from './errors.ts';
import { inspectGenerate } from './inspect.ts';
import { passThrough } from './pass-through.ts';
import { GenerateRelay } from './relay.ts';
import { generateResponse } from './response.ts';
import { GenerateStreamDecoder } from './stream-decoder.ts';
import { GenerateStreamEncoder } from './stream-encoder.ts';

/** https://ai.google.dev/api/generate-content */
export const gemini: Dialect = Object.freeze({
  name: 'gemini-generate',
  operation: 'chat',
  conversationField: 'contents',
  inspect: inspectGenerate,
  request: { decode: decodeRequest, encode: encodeRequest },
  passThrough,
  response: generateResponse,
  relay: () => new GenerateRelay(),
  streamDecoder: () => new GenerateStreamDecoder(),
  streamEncoder: (options) => new GenerateStreamEncoder(options),
  errors: googleErrors,
  // Not a comment: some clients take every line that is not empty for data.
  heartbeat: Buffer.from('\n'),
  streamContentType: eventStreamType,
} satisfies Dialect);
