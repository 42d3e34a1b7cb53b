import type { Dialect } from '../../core/dialect.ts';
import { eventStreamType } from '../../core/server-sent-events.ts';
import { continuation } from './continuation.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeRequest, passThrough } from './encode-request.ts';
import { responsesErrors } from './errors.ts';
import { inspectResponses } from './inspect.ts';
import { ResponsesRelay } from './relay.ts';
import { responsesResponse } from './response.ts';
import { ResponsesStreamDecoder } from './stream-decoder.ts';
import { ResponsesStreamEncoder } from './stream-encoder.ts';

/** https://platform.openai.com/docs/api-reference/responses */
export const openaiResponses: Dialect = Object.freeze({
  name: 'openai-responses',
  operation: 'chat',
  conversationField: 'input',
  inspect: inspectResponses,
  request: { decode: decodeRequest, encode: encodeRequest },
  passThrough,
  response: responsesResponse,
  relay: (options) => new ResponsesRelay(options),
  streamDecoder: () => new ResponsesStreamDecoder(),
  streamEncoder: (options) => new ResponsesStreamEncoder(options),
  errors: responsesErrors,
  continuation,
  heartbeat: Buffer.from(': ping\n\n'),
  streamContentType: eventStreamType,
} satisfies Dialect);
