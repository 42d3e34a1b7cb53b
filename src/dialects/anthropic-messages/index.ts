import type { Dialect } from '../../core/dialect.ts';
import { eventStreamType } from '../../core/server-sent-events.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeRequest, passThrough } from './encode-request.ts';
import { anthropicErrors } from './errors.ts';
import { inspectMessages } from './inspect.ts';
import { MessageRelay } from './relay.ts';
import { messageResponse } from './response.ts';
import { MessageStreamDecoder } from './stream-decoder.ts';
import { MessageStreamEncoder } from './stream-encoder.ts';

/** https://docs.anthropic.com/en/api/messages */
export const anthropicMessages: Dialect = Object.freeze({
  name: 'anthropic-messages',
  operation: 'chat',
  inspect: inspectMessages,
  request: { decode: decodeRequest, encode: encodeRequest },
  passThrough,
  response: messageResponse,
  relay: (options) => new MessageRelay(options),
  streamDecoder: () => new MessageStreamDecoder(),
  streamEncoder: (options) => new MessageStreamEncoder(options),
  errors: anthropicErrors,
  heartbeat: Buffer.from('event: ping\ndata: {"type": "ping"}\n\n'),
  streamContentType: eventStreamType,
} satisfies Dialect);
