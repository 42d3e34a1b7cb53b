import type { Dialect } from '../../core/dialect.ts';
import { eventStreamType } from '../../core/server-sent-events.ts';
import { decodeRequest } from './decode-request.ts';
import { encodeRequest, passThrough } from './encode-request.ts';
import { openaiErrors } from './errors.ts';
import { inspectChat } from './inspect.ts';
import { relayChunks } from './relay.ts';
import { chatResponse } from './response.ts';
import { decodeChunks } from './stream-decoder.ts';
import { ChatStreamEncoder } from './stream-encoder.ts';

/** https://platform.openai.com/docs/api-reference/chat, with the extensions of servers that speak it too. */
export const openaiChat: Dialect = Object.freeze({
  name: 'openai-chat',
  operation: 'chat',
  inspect: inspectChat,
  request: { decode: decodeRequest, encode: encodeRequest },
  passThrough,
  response: chatResponse,
  relay: relayChunks,
  streamDecoder: decodeChunks,
  streamEncoder: (options) => new ChatStreamEncoder(options),
  errors: openaiErrors,
  heartbeat: Buffer.from(': ping\n\n'),
  streamContentType: eventStreamType,
} satisfies Dialect);
