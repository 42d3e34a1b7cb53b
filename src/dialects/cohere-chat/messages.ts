import type { ModelTraits } from '../../core/dialect.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { ContentBlock, NeutralMessage, NeutralRequest, ToolResultBlock } from '../../core/neutral.ts';
import { urlOfMedia } from '../media.ts';
import { inexpressible, strangeContent } from '../parameter-edits.ts';

const dialect = 'cohere-chat';

export function encodeMessages(request: NeutralRequest, traits: ModelTraits): JsonObject[] {
  const messages: JsonObject[] = [];
  if (request.system.length > 0) {
    messages.push({ role: 'system', content: texts(request.system.map(({ text }) => ({ type: 'text', text }))) });
  }
  for (const message of request.messages) {
    if (message.role === 'assistant') messages.push(assistantMessage(message));
    else messages.push(...userMessages(message, traits));
  }
  return messages;
}

/** One plain text is a string, everything else a list of parts. */
function texts(parts: readonly JsonObject[]): Json {
  const [first] = parts;
  if (first === undefined) return '';
  return parts.length === 1 && typeof first?.text === 'string' ? first.text : [...parts];
}

function userMessages(message: NeutralMessage, traits: ModelTraits): JsonObject[] {
  const messages: JsonObject[] = [];
  const parts: JsonObject[] = [];
  for (const block of message.content) {
    if (block.type === 'tool_result') messages.push(toolMessage(block));
    else parts.push(userPart(block, traits));
  }
  if (parts.length > 0 || messages.length === 0) messages.push({ role: 'user', content: texts(parts) });
  return messages;
}

function toolMessage({ toolCallId, content }: ToolResultBlock): JsonObject {
  const parts = content.map((part) => {
    if (part.type !== 'text') throw inexpressible(`a ${part.type} in the result of a tool`);
    return { type: 'text', text: part.text };
  });
  return { role: 'tool', tool_call_id: toolCallId, content: parts.length === 0 ? '' : texts(parts) };
}

function userPart(block: ContentBlock, traits: ModelTraits): JsonObject {
  switch (block.type) {
    case 'text':
    case 'refusal':
      return { type: 'text', text: block.text };
    case 'image': {
      if (block.source.kind === 'url' && !traits.supportsImageUrls) {
        throw inexpressible('images by address: send them as data URLs');
      }
      const detail = block.detail === undefined ? {} : { detail: block.detail };
      return { type: 'image_url', image_url: { url: urlOfMedia(block.source), ...detail } };
    }
    case 'vendor':
      if (block.dialect === dialect) return block.block;
      throw strangeContent(block.block);
    default:
      throw inexpressible(`a ${block.type.replace('_', ' ')} in a message of a user`);
  }
}

/** Text before tool calls is the plan for them. */
export function assistantMessage({ content }: Pick<NeutralMessage, 'content'>): JsonObject {
  const parts: JsonObject[] = [];
  const calls: JsonObject[] = [];
  for (const block of content) {
    if (block.type === 'text' || block.type === 'refusal') parts.push({ type: 'text', text: block.text });
    else if (block.type === 'reasoning') {
      if (block.text !== '') parts.push({ type: 'thinking', thinking: block.text });
    } else if (block.type === 'tool_call') {
      calls.push({ id: block.id, type: 'function', function: { name: block.name, arguments: block.arguments } });
    } else if (block.type !== 'vendor') throw inexpressible(`a ${block.type} in a message of the assistant`);
    // What another provider's own tools did stays there; the text that came of it goes on.
  }
  const [plan] = parts;
  if (calls.length === 0) return { role: 'assistant', content: texts(parts) };
  return {
    role: 'assistant',
    ...(parts.length === 1 && plan?.type === 'text'
      ? { tool_plan: plan.text }
      : parts.length > 0
        ? { content: parts }
        : {}),
    tool_calls: calls,
  };
}
