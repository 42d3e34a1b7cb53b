import type { Dialect } from '../../core/dialect.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { openaiChat } from '../openai-chat/index.ts';
import { ofInvoke } from './calls.ts';
import { InvokeDecoder, InvokeEncoder } from './framing.ts';

/**
 * Models whose bodies are chat completions: Jamba, Mistral's larger ones, gpt-oss, Qwen and others. Mistral's clients look for
 * `stop_reason` and, in streams, for `message`.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-chat-completion.html
 */
export const chatModels: Dialect = ofInvoke({
  ...openaiChat,
  response: {
    ...openaiChat.response,
    encode: (response, options) => withStopReasons(openaiChat.response.encode(response, options)),
  },
  streamDecoder: () => new InvokeDecoder(openaiChat.streamDecoder()),
  streamEncoder: (options) =>
    new InvokeEncoder(openaiChat.streamEncoder({ ...options, usageInStream: true }), (event) =>
      withStopReasons(JSON.parse(event) as JsonObject),
    ),
});

function withStopReasons(answer: JsonObject): JsonObject {
  return Array.isArray(answer.choices) ? { ...answer, choices: answer.choices.map(withStopReason) } : answer;
}

function withStopReason(choice: Json): Json {
  if (!isJsonObject(choice)) return choice;
  const { delta, finish_reason: reason = null } = choice;
  return { ...choice, ...(delta === undefined ? {} : { message: delta }), stop_reason: reason };
}
