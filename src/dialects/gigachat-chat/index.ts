import type { Dialect } from '../../core/dialect.ts';
import { openaiChat } from '../openai-chat/index.ts';
import { storeAttachments } from './attachments.ts';
import { effortOf, ownRequest, sharedRequest } from './request.ts';
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
    encode: (request, options) => {
      const asked = { ...request, reasoning: effortOf(request.reasoning) };
      return ownRequest(openaiChat.request.encode(asked, options), options);
    },
  },
  prepare: storeAttachments,
  response: {
    ...openaiChat.response,
    decode: (body) => openaiChat.response.decode(sharedAnswer(body)),
    read: (body) => openaiChat.response.read(sharedAnswer(body)),
  },
  streamDecoder: () => new OwnStreamDecoder(),
} satisfies Dialect);
