import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type {
  CacheMark,
  ContentBlock,
  FileBlock,
  MediaSource,
  TextBlock,
  ToolResultBlock,
} from '../../core/neutral.ts';

const dialect = 'anthropic-messages';

/** The tool that stands in for structured output where a model has none: its input is the answer. */
export const jsonToolName = 'json_tool_call';

/** A string or a list of blocks, of a request or of an answer. */
export function decodeContent(content: Json | undefined): ContentBlock[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content)) return [];
  return content.filter(isJsonObject).map(decodeBlock);
}

export function decodeTextBlock(block: JsonObject): TextBlock {
  const citations = Array.isArray(block.citations) && block.citations.length > 0 ? block.citations : undefined;
  return {
    type: 'text',
    text: typeof block.text === 'string' ? block.text : '',
    ...cacheMarkOf(block),
    ...(citations === undefined ? {} : { annotations: citations }),
  };
}

export function cacheMarkOf(block: JsonObject): { cacheMark?: CacheMark } {
  return isJsonObject(block.cache_control) ? { cacheMark: block.cache_control } : {};
}

function decodeBlock(block: JsonObject): ContentBlock {
  switch (block.type) {
    case 'text':
      return decodeTextBlock(block);
    case 'image':
      return decodeImage(block);
    case 'document':
      return decodeDocument(block);
    case 'tool_use':
      return {
        type: 'tool_call',
        id: String(block.id),
        name: String(block.name),
        arguments: JSON.stringify(block.input ?? {}),
        ...cacheMarkOf(block),
      };
    case 'tool_result':
      return decodeToolResult(block);
    case 'thinking': {
      const { signature } = block;
      const signed = typeof signature === 'string' && signature !== '' ? { signature } : {};
      return { type: 'reasoning', text: typeof block.thinking === 'string' ? block.thinking : '', ...signed };
    }
    case 'redacted_thinking':
      return { type: 'reasoning', text: '', redacted: String(block.data) };
    default:
      return { type: 'vendor', dialect, block };
  }
}

function decodeSource(source: Json | undefined): MediaSource | undefined {
  if (!isJsonObject(source)) return undefined;
  if (source.type === 'url') return { kind: 'url', url: String(source.url) };
  if (source.type !== 'base64') return undefined;
  return { kind: 'base64', mediaType: String(source.media_type), base64: String(source.data) };
}

function decodeImage(block: JsonObject): ContentBlock {
  const source = decodeSource(block.source);
  return source === undefined ? { type: 'vendor', dialect, block } : { type: 'image', source, ...cacheMarkOf(block) };
}

const documentFields: ReadonlySet<string> = new Set(['type', 'source', 'title', 'cache_control']);

function decodeDocument(block: JsonObject): ContentBlock {
  const source = documentSource(block.source);
  if (source === undefined) return { type: 'vendor', dialect, block };
  const extra = Object.entries(block).filter(([name, value]) => !documentFields.has(name) && value !== null);
  return {
    type: 'file',
    source,
    ...(typeof block.title === 'string' ? { name: block.title } : {}),
    ...cacheMarkOf(block),
    ...(extra.length > 0 ? { extra: Object.fromEntries(extra) } : {}),
  };
}

function documentSource(source: Json | undefined): FileBlock['source'] | undefined {
  if (!isJsonObject(source)) return undefined;
  if (source.type === 'file' && typeof source.file_id === 'string') return { kind: 'id', id: source.file_id };
  if (source.type !== 'text') return decodeSource(source);
  const mediaType = typeof source.media_type === 'string' ? source.media_type : 'text/plain';
  return { kind: 'base64', mediaType, base64: Buffer.from(String(source.data)).toString('base64') };
}

function decodeToolResult(block: JsonObject): ContentBlock {
  const content: ToolResultBlock['content'] = [];
  for (const part of decodeContent(block.content)) {
    // A result with parts that only this format knows goes back to it as it is.
    if (part.type !== 'text' && part.type !== 'image' && part.type !== 'file')
      return { type: 'vendor', dialect, block };
    content.push(part);
  }
  return {
    type: 'tool_result',
    toolCallId: String(block.tool_use_id),
    content,
    ...(typeof block.is_error === 'boolean' ? { isError: block.is_error } : {}),
    ...cacheMarkOf(block),
  };
}
