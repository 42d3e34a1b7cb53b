import type { EncodeOptions, ModelTraits } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type {
  CacheMark,
  ContentBlock,
  FileBlock,
  MediaSource,
  NeutralMessage,
  ToolResultBlock,
} from '../../core/neutral.ts';
import { inexpressible, strangeContent } from '../parameter-edits.ts';
import { strictTurns } from '../strict-turns.ts';
import { withPlainCallIds } from '../thought-signature.ts';
import { ownCitations } from './citations.ts';

/** Of a user's blocks, tool results come first. */
export function encodeMessages(
  messages: readonly NeutralMessage[],
  { traits, isOwnFormat }: Pick<EncodeOptions, 'traits' | 'isOwnFormat'>,
): JsonObject[] {
  const turns = strictTurns(withPlainCallIds(messages), isOwnFormat);
  const encoded: JsonObject[] = [];
  for (const [index, { role, content }] of turns.entries()) {
    const isLast = index === turns.length - 1;
    const ordered = role === 'assistant' ? assistantOrder(content) : userOrder(content);
    const blocks = ordered.map((block) => encodeBlock(block, traits)).filter((block) => block !== null);
    // The provider refuses an answer begun for it that ends in a space.
    if (role === 'assistant' && isLast) trimLast(blocks);
    if (blocks.length > 0) encoded.push({ role, content: blocks });
  }
  return encoded;
}

function userOrder(content: readonly ContentBlock[]): ContentBlock[] {
  const isResult = (block: ContentBlock) => block.type === 'tool_result';
  return [...content.filter(isResult), ...content.filter((block) => !isResult(block))];
}

/** Reasoning begins a turn and calls end it. */
function assistantOrder(content: readonly ContentBlock[]): ContentBlock[] {
  const reasoning = content.filter((block) => block.type === 'reasoning');
  const calls = content.filter((block) => block.type === 'tool_call');
  const rest = content.filter((block) => block.type !== 'reasoning' && block.type !== 'tool_call');
  return [...reasoning, ...rest, ...calls];
}

function trimLast(blocks: JsonObject[]): void {
  const last = blocks.at(-1);
  if (last?.type !== 'text' || typeof last.text !== 'string') return;
  last.text = last.text.trimEnd();
  if (last.text === '') blocks.pop();
}

export function markOf(block: { cacheMark?: CacheMark }): JsonObject {
  return block.cacheMark === undefined ? {} : { cache_control: block.cacheMark };
}

/** null for an empty text, which this format refuses. */
function encodeBlock(block: ContentBlock, traits: ModelTraits): JsonObject | null {
  switch (block.type) {
    case 'text':
      return block.text === ''
        ? null
        : { type: 'text', text: block.text, ...ownCitations(block.annotations), ...markOf(block) };
    case 'refusal':
      return block.text === '' ? null : { type: 'text', text: block.text };
    case 'image':
      return { type: 'image', source: encodeSource(block.source, traits), ...markOf(block) };
    case 'file':
      return encodeDocument(block, traits);
    case 'tool_call':
      return {
        type: 'tool_use',
        id: block.id,
        name: block.name,
        input: toolInput(block.id, block.arguments),
        ...markOf(block),
      };
    case 'tool_result':
      return encodeToolResult(block, traits);
    case 'reasoning':
      return encodeReasoning(block);
    case 'audio':
      throw inexpressible('audio');
    case 'vendor':
      if (block.dialect !== 'anthropic-messages') throw strangeContent(block.block);
      return block.block;
    default:
      return block satisfies never;
  }
}

export function encodeReasoning(block: { text: string; signature?: string; redacted?: string }): JsonObject {
  if (block.redacted !== undefined) return { type: 'redacted_thinking', data: block.redacted };
  return { type: 'thinking', thinking: block.text, signature: block.signature ?? '' };
}

function encodeSource(source: MediaSource, traits: ModelTraits): JsonObject {
  if (source.kind === 'base64') return { type: 'base64', media_type: source.mediaType, data: source.base64 };
  if (!traits.supportsImageUrls) throw inexpressible('images and files by address: send them as data URLs');
  return { type: 'url', url: source.url };
}

function encodeDocument(block: FileBlock, traits: ModelTraits): JsonObject {
  const { source } = block;
  const encoded: JsonObject =
    source.kind === 'id'
      ? { type: 'file', file_id: source.id }
      : source.kind === 'base64' && source.mediaType.startsWith('text/')
        ? { type: 'text', media_type: 'text/plain', data: Buffer.from(source.base64, 'base64').toString('utf8') }
        : encodeSource(source, traits);
  const name = block.name === undefined ? {} : { title: block.name };
  return { type: 'document', source: encoded, ...name, ...block.extra, ...markOf(block) };
}

function encodeToolResult(block: ToolResultBlock, traits: ModelTraits): JsonObject {
  const [first] = block.content;
  const isPlain = block.content.length === 1 && first?.type === 'text' && first.cacheMark === undefined;
  const content = isPlain
    ? first.text
    : block.content.map((part) => encodeBlock(part, traits)).filter((part) => part !== null);
  return {
    type: 'tool_result',
    tool_use_id: block.toolCallId,
    ...(block.content.length === 0 ? {} : { content }),
    ...(block.isError === undefined ? {} : { is_error: block.isError }),
    ...markOf(block),
  };
}

/** The text of a call's arguments as the object this format wants. */
export function toolInput(id: string, text: string): JsonObject {
  if (text.trim() === '') return {};
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    input = undefined;
  }
  if (isJsonObject(input)) return input;
  throw new GatewayError(
    'malformed_request',
    `messages: the arguments of tool call ${JSON.stringify(id.slice(0, 80))} are not a JSON object`,
    { param: 'messages' },
  );
}
