import type { Dialect } from '../../core/dialect.ts';
import { openaiChat } from '../openai-chat/index.ts';
import { ownRequest, sharedRequest } from './request.ts';
import { OwnStreamDecoder, sharedAnswer } from './response.ts';

/**
 * https://developers.sber.ru/docs/ru/gigachat/api/reference/rest/post-chat: chat as OpenAI had it with functions instead of
 * tools, one call an answer, its arguments an object. Nobody asks in this format; a provider is asked in it.
 */
export const gigachatChat: Dialect = Object.freeze({
  ...openaiChat,
  name: 'gigachat-chat',
  inspect: (body) => openaiChat.inspect(sharedRequest(body)),
  request: {
    decode: (body) => openaiChat.request.decode(sharedRequest(body)),
    encode: (request, options) => ownRequest(openaiChat.request.encode(request, options), options),
  },
  response: {
    ...openaiChat.response,
    decode: (body) => openaiChat.response.decode(sharedAnswer(body)),
    read: (body) => openaiChat.response.read(sharedAnswer(body)),
  },
  streamDecoder: () => new OwnStreamDecoder(),
} satisfies Dialect);
