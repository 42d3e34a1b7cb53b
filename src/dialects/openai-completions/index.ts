import type { Dialect } from '../../core/dialect.ts';
import { eventStreamType } from '../../core/server-sent-events.ts';
import { openaiErrors } from '../openai-chat/errors.ts';
import { relayChunks } from '../openai-chat/relay.ts';
import { decodeChunks } from '../openai-chat/stream-decoder.ts';
import { completionPassThrough, decodeCompletion, encodeCompletion, inspectCompletion } from './request.ts';
import { completionResponse } from './response.ts';
import { CompletionStreamEncoder } from './stream-encoder.ts';

/** https://platform.openai.com/docs/api-reference/completions: the older format, which vLLM and others still serve. */
export const openaiCompletions: Dialect = Object.freeze({
  name: 'openai-completions',
  operation: 'chat',
  conversationField: 'prompt',
  inspect: inspectCompletion,
  request: { decode: decodeCompletion, encode: encodeCompletion },
  passThrough: completionPassThrough,
  response: completionResponse,
  relay: relayChunks,
  streamDecoder: decodeChunks,
  streamEncoder: (options) => new CompletionStreamEncoder(options),
  errors: openaiErrors,
  heartbeat: Buffer.from(': ping\n\n'),
  streamContentType: eventStreamType,
} satisfies Dialect);
