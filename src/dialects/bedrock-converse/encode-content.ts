import type { EncodeOptions } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import type { CacheMark, ContentBlock, NeutralMessage, TextBlock, ToolResultBlock } from '../../core/neutral.ts';
import { toolInput } from '../anthropic-messages/encode-content.ts';
import { inexpressible, strangeContent } from '../parameter-edits.ts';
import { isSealed } from '../reasoning-seal.ts';
import { strictTurns } from '../strict-turns.ts';
import { plainCallId } from '../thought-signature.ts';
import { toldCitation } from './citations.ts';
import { encodeFile, encodeMedia } from './media.ts';

/** Of a user's blocks, tool results come first. */
export function encodeMessages(
  messages: readonly NeutralMessage[],
  { modifyParams, isOwnFormat }: Pick<EncodeOptions, 'modifyParams' | 'isOwnFormat'>,
): JsonObject[] {
  const turns = strictTurns(messages, isOwnFormat);
  const encoded: JsonObject[] = [];
  if (turns[0]?.role === 'assistant' && !isOwnFormat) {
    if (!modifyParams) throw inexpressible('conversations that begin with the assistant');
    encoded.push({ role: 'user', content: [{ text: '.' }] });
  }
  for (const { role, content } of turns) {
    const isResult = (block: ContentBlock) => block.type === 'tool_result';
    const ordered = [...content.filter(isResult), ...content.filter((block) => !isResult(block))];
    const blocks = encodeContent(ordered);
    if (blocks.length > 0) encoded.push({ role, content: blocks });
  }
  return encoded;
}

export function encodeContent(content: readonly ContentBlock[]): JsonObject[] {
  const blocks: JsonObject[] = [];
  for (const block of content) {
    const encoded = encodeBlock(block, blocks.length);
    if (encoded === null) continue;
    blocks.push(encoded);
    if ('cacheMark' in block) blocks.push(...markAfter(block.cacheMark));
  }
  return blocks;
}

export function encodeSystem(system: readonly TextBlock[]): JsonObject[] {
  return system
    .filter(({ text }) => text !== '')
    .flatMap(({ text, cacheMark }): JsonObject[] => [{ text }, ...markAfter(cacheMark)]);
}

export function markAfter(mark: CacheMark | undefined): JsonObject[] {
  if (mark === undefined) return [];
  return [{ cachePoint: { type: 'default', ...(typeof mark.ttl === 'string' ? { ttl: mark.ttl } : {}) } }];
}

/** null for what this format need not hear: empty texts, reasoning without a signature or with another provider's. */
function encodeBlock(block: ContentBlock, serial: number): JsonObject | null {
  switch (block.type) {
    case 'text':
      return block.text === '' ? null : encodeText(block);
    case 'refusal':
      return block.text === '' ? null : { text: block.text };
    case 'image':
    case 'audio':
      return encodeMedia(block);
    case 'file':
      return encodeFile(block, serial);
    case 'tool_call': {
      const id = plainCallId(block.id);
      return { toolUse: { toolUseId: id, name: block.name, input: toolInput(id, block.arguments) } };
    }
    case 'tool_result':
      return encodeResult(block);
    case 'reasoning': {
      const proof = block.redacted ?? block.signature;
      return proof === undefined || isSealed(proof) ? null : encodeReasoning(block);
    }
    case 'vendor':
      if (block.dialect !== 'bedrock-converse') throw strangeContent(block.block);
      return block.block;
    default:
      return block satisfies never;
  }
}

export function encodeText({ text, annotations }: TextBlock): JsonObject {
  const citations = (annotations ?? []).map((one) => toldCitation(one, text)).filter((one) => one !== undefined);
  return citations.length === 0 ? { text } : { citationsContent: { content: [{ text }], citations } };
}

export function encodeReasoning(block: { text: string; signature?: string; redacted?: string }): JsonObject {
  if (block.redacted !== undefined) return { reasoningContent: { redactedContent: block.redacted } };
  const signature = block.signature === undefined ? {} : { signature: block.signature };
  return { reasoningContent: { reasoningText: { text: block.text, ...signature } } };
}

function encodeResult(block: ToolResultBlock): JsonObject {
  const content = block.content.map((part, index) => encodeBlock(part, index)).filter((part) => part !== null);
  return {
    toolResult: {
      toolUseId: plainCallId(block.toolCallId),
      content,
      ...(block.isError === undefined ? {} : { status: block.isError ? 'error' : 'success' }),
    },
  };
}
