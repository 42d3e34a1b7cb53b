import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type {
  CacheMark,
  ContentBlock,
  FileBlock,
  NeutralMessage,
  ReasoningBlock,
  TextBlock,
  ToolResultBlock,
} from '../../core/neutral.ts';
import { malformed } from '../body-checks.ts';
import { mediaFromUrl } from '../media.ts';
import { decodeImages } from './images.ts';

const dialect = 'openai-chat';

/** Messages that `inspectChat` has checked, with the system text taken out of them. */
export function decodeMessages(messages: readonly unknown[]): { system: TextBlock[]; messages: NeutralMessage[] } {
  const system: TextBlock[] = [];
  const decoded: NeutralMessage[] = [];
  let results: ToolResultBlock[] | undefined;
  for (const [index, message] of messages.entries()) {
    if (!isJsonObject(message)) continue;
    const path = `messages[${index}]`;
    const { role } = message;
    if (role === 'tool' || role === 'function') {
      // Results that follow each other answer calls made together.
      if (results === undefined) {
        results = [];
        decoded.push({ role: 'user', content: results });
      }
      results.push(toolResult(message, path));
      continue;
    }
    results = undefined;
    if (role === 'system' || role === 'developer') system.push(...textBlocks(message, path));
    else {
      const content = role === 'assistant' ? assistantContent(message) : userContent(message);
      const name = typeof message.name === 'string' ? { name: message.name } : {};
      decoded.push({ role: role === 'assistant' ? 'assistant' : 'user', content, ...name });
    }
  }
  return { system, messages: decoded };
}

export function cacheMarkOf(part: JsonObject): { cacheMark?: CacheMark } {
  return isJsonObject(part.cache_control) ? { cacheMark: part.cache_control } : {};
}

/** Text alone, of messages that may hold nothing else. A mark on the message stands for one on its last part. */
function textBlocks(message: JsonObject, path: string): TextBlock[] {
  return userContent(message).map((block) => {
    if (block.type === 'text') return block;
    throw malformed(`${path}.content`, `a ${String(message.role)} message holds text only`);
  });
}

function userContent(message: JsonObject): ContentBlock[] {
  const { content } = message;
  if (typeof content === 'string') return [{ type: 'text', text: content, ...cacheMarkOf(message) }];
  if (!Array.isArray(content)) return [];
  const blocks = content.filter(isJsonObject).map(partBlock);
  const last = blocks.at(-1);
  if (last !== undefined && isJsonObject(message.cache_control) && last.type === 'text') {
    last.cacheMark ??= message.cache_control;
  }
  return blocks;
}

function partBlock(part: JsonObject): ContentBlock {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: String(part.text), ...cacheMarkOf(part) };
    case 'refusal':
      return { type: 'refusal', text: String(part.refusal) };
    case 'image_url': {
      const image: JsonObject = isJsonObject(part.image_url) ? part.image_url : { url: part.image_url };
      const detail = typeof image.detail === 'string' ? { detail: image.detail } : {};
      const source = mediaFromUrl(String(image.url));
      // Documents and videos are often sent so.
      const isImage = source.kind === 'url' || source.mediaType.startsWith('image/');
      if (!isImage) return { type: 'file', source, ...cacheMarkOf(part) };
      return { type: 'image', source, ...detail, ...cacheMarkOf(part) };
    }
    case 'input_audio': {
      const audio = part.input_audio as JsonObject;
      const format = String(audio.format);
      return {
        type: 'audio',
        source: { kind: 'base64', mediaType: `audio/${format}`, base64: String(audio.data) },
        format,
      };
    }
    case 'file':
      return fileBlock(part);
    default:
      return { type: 'vendor', dialect, block: part };
  }
}

function fileBlock(part: JsonObject): FileBlock {
  const file = part.file as JsonObject;
  const name = typeof file.filename === 'string' ? { name: file.filename } : {};
  if (typeof file.file_data === 'string') {
    const source = file.file_data.startsWith('data:')
      ? mediaFromUrl(file.file_data)
      : ({ kind: 'base64', mediaType: 'application/pdf', base64: file.file_data } as const);
    return { type: 'file', source, ...name, ...cacheMarkOf(part) };
  }
  const id = String(file.file_id);
  const source = /^https?:\/\//.test(id) ? { kind: 'url' as const, url: id } : { kind: 'id' as const, id };
  return { type: 'file', source, ...name, ...cacheMarkOf(part) };
}

function assistantContent(message: JsonObject): ContentBlock[] {
  const blocks: ContentBlock[] = [...decodeReasoning(message)];
  if (message.content !== '') blocks.push(...userContent(message));
  if (typeof message.refusal === 'string' && message.refusal !== '') {
    blocks.push({ type: 'refusal', text: message.refusal });
  }
  if (isJsonObject(message.audio))
    blocks.push({ type: 'vendor', dialect, block: { type: 'audio', audio: message.audio } });
  blocks.push(...decodeImages(message), ...decodeToolCalls(message));
  return blocks;
}

/** Reasoning as `thinking_blocks` (with signatures), else as the plain text of one of two names. */
export function decodeReasoning(message: JsonObject): ReasoningBlock[] {
  const blocks: ReasoningBlock[] = [];
  if (Array.isArray(message.thinking_blocks)) {
    for (const block of message.thinking_blocks) {
      if (!isJsonObject(block)) continue;
      if (block.type === 'redacted_thinking' && typeof block.data === 'string') {
        blocks.push({ type: 'reasoning', text: '', redacted: block.data });
      } else if (typeof block.thinking === 'string') {
        const signature = typeof block.signature === 'string' ? { signature: block.signature } : {};
        blocks.push({ type: 'reasoning', text: block.thinking, ...signature });
      }
    }
    if (blocks.length > 0) return blocks;
  }
  const text = [message.reasoning_content, message.reasoning].find(
    (value) => typeof value === 'string' && value !== '',
  );
  return typeof text === 'string' ? [{ type: 'reasoning', text }] : [];
}

export function decodeToolCalls(message: JsonObject): ContentBlock[] {
  const blocks: ContentBlock[] = [];
  for (const call of Array.isArray(message.tool_calls) ? message.tool_calls : []) {
    if (!isJsonObject(call)) continue;
    if (!isJsonObject(call.function)) blocks.push({ type: 'vendor', dialect, block: call });
    else {
      const text = call.function.arguments;
      blocks.push({
        type: 'tool_call',
        id: typeof call.id === 'string' ? call.id : `call_${blocks.length}`,
        name: typeof call.function.name === 'string' ? call.function.name : '',
        arguments: typeof text === 'string' ? text : text === undefined || text === null ? '' : JSON.stringify(text),
        ...cacheMarkOf(call),
      });
    }
  }
  const legacy = message.function_call;
  if (isJsonObject(legacy) && typeof legacy.name === 'string') {
    const text = typeof legacy.arguments === 'string' ? legacy.arguments : '';
    blocks.push({ type: 'tool_call', id: legacyCallId(legacy.name), name: legacy.name, arguments: text });
  }
  return blocks;
}

function toolResult(message: JsonObject, path: string): ToolResultBlock {
  const content = userContent({ ...message, cache_control: undefined }).map((block) => {
    if (block.type === 'text' || block.type === 'image' || block.type === 'file') return block;
    throw malformed(`${path}.content`, 'a tool message holds text, images or files');
  });
  const id = typeof message.tool_call_id === 'string' ? message.tool_call_id : legacyCallId(String(message.name));
  return { type: 'tool_result', toolCallId: id, content, ...cacheMarkOf(message) };
}

/** The old function calls have no id: call and result find each other by name. */
function legacyCallId(name: string): string {
  return `call_${name}`;
}
