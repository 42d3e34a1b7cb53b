import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { CacheMark, ContentBlock, NeutralMessage, TextBlock, ToolResultBlock } from '../../core/neutral.ts';
import { decodeMedia } from './media.ts';

const dialect = 'bedrock-converse';

export function decodeMessages(messages: readonly Json[]): NeutralMessage[] {
  return messages.filter(isJsonObject).map(({ role, content }) => ({
    role: role === 'assistant' ? 'assistant' : 'user',
    content: decodeContent(content),
  }));
}

export function decodeContent(content: Json | undefined): ContentBlock[] {
  const blocks: ContentBlock[] = [];
  for (const entry of Array.isArray(content) ? content.filter(isJsonObject) : []) {
    const mark = cacheMarkOf(entry);
    if (mark === undefined) blocks.push(decodeBlock(entry));
    else markLast(blocks, mark, entry);
  }
  return blocks;
}

/** A mark stands behind what it marks. One that marks nothing else can only go back to this format. */
function markLast(blocks: ContentBlock[], mark: CacheMark, entry: JsonObject): void {
  const last = blocks.at(-1);
  if (last === undefined || last.type === 'vendor' || last.type === 'refusal') {
    blocks.push({ type: 'vendor', dialect, block: entry });
  } else if (last.type !== 'reasoning' && last.type !== 'audio') last.cacheMark = mark;
}

/** The mark in the words that all other formats share. */
export function cacheMarkOf(entry: JsonObject): CacheMark | undefined {
  if (!isJsonObject(entry.cachePoint)) return undefined;
  const { ttl } = entry.cachePoint;
  return { type: 'ephemeral', ...(typeof ttl === 'string' ? { ttl } : {}) };
}

export function decodeSystem(system: readonly Json[]): TextBlock[] {
  const blocks: TextBlock[] = [];
  for (const entry of system.filter(isJsonObject)) {
    const last = blocks.at(-1);
    const mark = cacheMarkOf(entry);
    if (typeof entry.text === 'string') blocks.push({ type: 'text', text: entry.text });
    else if (mark !== undefined && last !== undefined) last.cacheMark = mark;
  }
  return blocks;
}

function decodeBlock(entry: JsonObject): ContentBlock {
  const vendor = { type: 'vendor', dialect, block: entry } as const;
  if (typeof entry.text === 'string') return { type: 'text', text: entry.text };
  for (const kind of ['image', 'video', 'audio', 'document'] as const) {
    const media = entry[kind];
    if (isJsonObject(media)) return decodeMedia(kind, media) ?? vendor;
  }
  if (isJsonObject(entry.toolUse)) {
    const { toolUseId, name, input } = entry.toolUse;
    return { type: 'tool_call', id: String(toolUseId), name: String(name), arguments: JSON.stringify(input ?? {}) };
  }
  if (isJsonObject(entry.toolResult)) return decodeResult(entry.toolResult) ?? vendor;
  if (isJsonObject(entry.reasoningContent)) return decodeReasoning(entry.reasoningContent) ?? vendor;
  if (isJsonObject(entry.citationsContent)) return decodeCited(entry.citationsContent);
  return vendor;
}

function decodeResult(result: JsonObject): ToolResultBlock | undefined {
  const content: ToolResultBlock['content'] = [];
  for (const entry of Array.isArray(result.content) ? result.content.filter(isJsonObject) : []) {
    const block: ContentBlock =
      entry.json === undefined ? decodeBlock(entry) : { type: 'text', text: JSON.stringify(entry.json) };
    // A result with parts that only this format knows goes back to it as it is.
    if (block.type !== 'text' && block.type !== 'image' && block.type !== 'file') return undefined;
    content.push(block);
  }
  return {
    type: 'tool_result',
    toolCallId: String(result.toolUseId),
    content,
    ...(result.status === 'error' ? { isError: true } : result.status === 'success' ? { isError: false } : {}),
  };
}

function decodeReasoning(reasoning: JsonObject): ContentBlock | undefined {
  if (typeof reasoning.redactedContent === 'string') {
    return { type: 'reasoning', text: '', redacted: reasoning.redactedContent };
  }
  if (!isJsonObject(reasoning.reasoningText)) return undefined;
  const { text, signature } = reasoning.reasoningText;
  return {
    type: 'reasoning',
    text: typeof text === 'string' ? text : '',
    ...(typeof signature === 'string' ? { signature } : {}),
  };
}

/** A text that says where it comes from. */
function decodeCited({ content, citations }: JsonObject): TextBlock {
  const texts = Array.isArray(content) ? content.filter(isJsonObject).map((part) => String(part.text ?? '')) : [];
  const annotations = Array.isArray(citations) ? citations : [];
  return { type: 'text', text: texts.join(''), ...(annotations.length > 0 ? { annotations } : {}) };
}
