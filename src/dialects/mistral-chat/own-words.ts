import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { optionalNumber } from '../body-checks.ts';
import { thinkingText } from '../openai-chat/response.ts';

/* What this format says in other words than OpenAI's chat. */

/** `random_seed` is `seed`, `tool_choice: "any"` is `"required"`, and thoughts stand among the content. */
export function sharedRequest(body: JsonObject): JsonObject {
  const { random_seed: _named, messages, ...rest } = body;
  const seed = optionalNumber(body, 'random_seed');
  return {
    ...rest,
    ...(seed === undefined ? {} : { seed }),
    ...(messages === undefined ? {} : { messages: Array.isArray(messages) ? messages.map(sharedMessage) : messages }),
    ...(body.tool_choice === 'any' ? { tool_choice: 'required' } : {}),
  };
}

function sharedMessage(message: Json): Json {
  if (!isJsonObject(message) || message.role !== 'assistant' || !Array.isArray(message.content)) return message;
  const isThought = (part: Json): part is JsonObject => isJsonObject(part) && part.type === 'thinking';
  const thoughts = message.content.filter(isThought);
  if (thoughts.length === 0) return message;
  const content = message.content.filter((part) => !isThought(part));
  return {
    ...message,
    content: content.length === 0 ? null : content,
    thinking_blocks: thoughts.map((part) => ({ ...part, thinking: thinkingText(part.thinking) })),
  };
}

export function ownRequest(body: JsonObject): JsonObject {
  const { seed, stream_options: _options, max_completion_tokens: tokensMax, messages, ...rest } = body;
  return {
    ...rest,
    messages: (messages as JsonObject[]).map(ownMessage),
    ...(seed === undefined ? {} : { random_seed: seed }),
    ...(tokensMax === undefined ? {} : { max_tokens: tokensMax }),
    ...(rest.tool_choice === 'required' ? { tool_choice: 'any' } : {}),
  };
}

export function ownResponse(body: JsonObject): JsonObject {
  const choices = (body.choices as JsonObject[]).map((choice) => ({
    ...choice,
    message: ownMessage(choice.message as JsonObject),
  }));
  return { ...body, choices };
}

/** One thought, as it stands in a list of content. */
export function thought(text: string, signature?: Json): JsonObject {
  return {
    type: 'thinking',
    thinking: [{ type: 'text', text }],
    ...(typeof signature === 'string' ? { signature } : {}),
  };
}

function ownMessage(message: JsonObject): JsonObject {
  const { thinking_blocks: blocks, reasoning_content: plain, content, ...rest } = message;
  const thoughts = Array.isArray(blocks)
    ? blocks.filter(isJsonObject).flatMap((block) => signedThought(block))
    : typeof plain === 'string'
      ? [thought(plain)]
      : [];
  if (thoughts.length === 0) return { ...rest, ...(content === undefined ? {} : { content }) };
  const said =
    typeof content === 'string' ? (content === '' ? [] : [{ type: 'text', text: content }]) : (content ?? []);
  return { ...rest, content: [...thoughts, ...(said as Json[])] };
}

/** What only its maker can read has no place here. */
function signedThought({ thinking, signature }: JsonObject): JsonObject[] {
  return typeof thinking === 'string' ? [thought(thinking, signature)] : [];
}
