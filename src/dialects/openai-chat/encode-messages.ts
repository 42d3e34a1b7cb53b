import type { JsonObject } from '../../core/json.ts';
import type { CacheMark, ContentBlock, NeutralMessage, NeutralRequest, ToolResultBlock } from '../../core/neutral.ts';
import { urlOfMedia } from '../media.ts';
import { inexpressible, strangeContent } from '../parameter-edits.ts';
import { withPlainCallIds } from '../thought-signature.ts';
import { encodeImage } from './images.ts';

/** `marks`: does the model understand cache marks and thinking blocks in this format? They are hints: left out if not. */
export function encodeMessages(request: NeutralRequest, marks: boolean): JsonObject[] {
  const messages: JsonObject[] = [];
  if (request.system.length > 0) {
    const isPlain = request.system.length === 1 && (!marks || request.system[0]!.cacheMark === undefined);
    const content = isPlain ? request.system[0]!.text : request.system.map((block) => encodePart(block, marks));
    messages.push({ role: 'system', content });
  }
  for (const message of withPlainCallIds(request.messages)) {
    if (message.role === 'assistant') messages.push(assistantMessage(message, marks));
    else messages.push(...userMessages(message, marks));
  }
  return messages;
}

/** Tool results become messages of their own, before what else the user says. */
function userMessages(message: NeutralMessage, marks: boolean): JsonObject[] {
  const messages: JsonObject[] = [];
  const rest: ContentBlock[] = [];
  for (const block of message.content) {
    if (block.type === 'tool_result') messages.push(toolMessage(block, marks));
    else rest.push(block);
  }
  if (rest.length > 0 || messages.length === 0) {
    const name = message.name === undefined ? {} : { name: message.name };
    messages.push({ role: 'user', content: encodeContent(rest, marks), ...name });
  }
  return messages;
}

function toolMessage(block: ToolResultBlock, marks: boolean): JsonObject {
  return {
    role: 'tool',
    tool_call_id: block.toolCallId,
    content: encodeContent(block.content, marks),
    ...markOf(block, marks),
  };
}

/** One plain text is a string, everything else a list of parts. */
function encodeContent(blocks: readonly ContentBlock[], marks: boolean): string | JsonObject[] {
  if (blocks.length === 0) return '';
  const [first] = blocks;
  if (blocks.length === 1 && first?.type === 'text' && (!marks || first.cacheMark === undefined)) return first.text;
  return blocks.map((block) => encodePart(block, marks));
}

export function markOf(block: { cacheMark?: CacheMark }, marks: boolean): JsonObject {
  return marks && block.cacheMark !== undefined ? { cache_control: block.cacheMark } : {};
}

function encodePart(block: ContentBlock, marks: boolean): JsonObject {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text, ...markOf(block, marks) };
    case 'refusal':
      return { type: 'refusal', refusal: block.text };
    case 'image': {
      const detail = block.detail === undefined ? {} : { detail: block.detail };
      return { type: 'image_url', image_url: { url: urlOfMedia(block.source), ...detail }, ...markOf(block, marks) };
    }
    case 'audio':
      if (block.source.kind === 'url') throw inexpressible('audio by address');
      return { type: 'input_audio', input_audio: { data: block.source.base64, format: block.format } };
    case 'file': {
      const name = block.name === undefined ? {} : { filename: block.name };
      const file =
        block.source.kind === 'base64'
          ? { file_data: urlOfMedia(block.source) }
          : { file_id: block.source.kind === 'id' ? block.source.id : block.source.url };
      return { type: 'file', file: { ...file, ...name }, ...markOf(block, marks) };
    }
    case 'vendor':
      if (block.dialect !== 'openai-chat') throw strangeContent(block.block);
      return block.block;
    case 'tool_call':
    case 'tool_result':
    case 'reasoning':
      throw inexpressible(`a ${block.type.replace('_', ' ')} in a message of this role`);
    default:
      return block satisfies never;
  }
}

function assistantMessage(message: NeutralMessage, marks: boolean): JsonObject {
  const content: ContentBlock[] = [];
  const calls: JsonObject[] = [];
  const thinking: JsonObject[] = [];
  const images: JsonObject[] = [];
  const encoded: JsonObject = { role: 'assistant' };
  for (const block of message.content) {
    if (block.type === 'tool_call') calls.push(encodeToolCall(block, marks));
    else if (block.type === 'reasoning') thinking.push(encodeThinking(block));
    else if (block.type === 'refusal') encoded.refusal = block.text;
    else if (block.type === 'image') images.push(encodeImage(block.source, images.length));
    else if (block.type === 'vendor' && block.dialect === 'openai-chat') {
      if (block.block.audio !== undefined) encoded.audio = block.block.audio;
      else if (block.block.id !== undefined) calls.push(block.block);
      else content.push(block);
    } else if (block.type === 'vendor' && isHostedToolBlock(block.block)) {
      // What a provider's own tools did stays with that provider; the text that came of it goes on.
    } else content.push(block);
  }
  encoded.content = content.length === 0 ? null : encodeContent(content, marks);
  if (message.name !== undefined) encoded.name = message.name;
  if (images.length > 0) encoded.images = images;
  if (calls.length > 0) encoded.tool_calls = calls;
  if (marks && thinking.length > 0) encoded.thinking_blocks = thinking;
  return encoded;
}

function isHostedToolBlock(block: JsonObject): boolean {
  return block.type === 'server_tool_use' || String(block.type).endsWith('_tool_result');
}

export function encodeToolCall(
  block: { id: string; name: string; arguments: string; cacheMark?: CacheMark },
  marks: boolean,
): JsonObject {
  return {
    id: block.id,
    type: 'function',
    function: { name: block.name, arguments: block.arguments },
    ...markOf(block, marks),
  };
}

export function encodeThinking(block: { text: string; signature?: string; redacted?: string }): JsonObject {
  if (block.redacted !== undefined) return { type: 'redacted_thinking', data: block.redacted };
  return {
    type: 'thinking',
    thinking: block.text,
    ...(block.signature === undefined ? {} : { signature: block.signature }),
  };
}
