import type { Dialect } from '../../core/dialect.ts';
import type { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { openaiChat } from '../openai-chat/index.ts';
import { ownRequest, ownResponse, sharedRequest } from './own-words.ts';
import { WholeCallEncoder } from './stream-encoder.ts';

/** The field is called what the caller called it. */
function errorOf({ message, type, status, details }: GatewayError): JsonObject {
  const isSeed = details.param === 'seed';
  const told = isSeed ? message.replaceAll("'seed'", "'random_seed'") : message;
  const param = isSeed ? 'random_seed' : (details.param ?? null);
  return { object: 'error', message: told, type, param, code: String(status) };
}

/**
 * https://docs.mistral.ai/api/#tag/chat: chat as OpenAI has it, with a few other names, reasoning among the content, calls
 * of tools whole, and usage with the reason of the end, unasked. Its clients insist on the last two.
 */
export const mistralChat: Dialect = Object.freeze({
  ...openaiChat,
  name: 'mistral-chat',
  inspect: (body) => ({ ...openaiChat.inspect(sharedRequest(body)), usageInStream: true }),
  request: {
    decode: (body) => ({ ...openaiChat.request.decode(sharedRequest(body)), includeUsageInStream: true }),
    encode: (request, options) => ownRequest(openaiChat.request.encode(request, options)),
  },
  response: {
    ...openaiChat.response,
    encode: (response, options) => ownResponse(openaiChat.response.encode(response, options)),
  },
  streamEncoder: (options) => new WholeCallEncoder(options),
  errors: {
    ...openaiChat.errors,
    encode: errorOf,
    streamEvent: (error) => Buffer.from(`data: ${JSON.stringify(errorOf(error))}\n\n`),
  },
} satisfies Dialect);
