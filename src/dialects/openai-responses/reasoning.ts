import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { ReasoningBlock } from '../../core/neutral.ts';
import { isSealed, sealed, unsealed } from '../reasoning-seal.ts';

const dialect = 'openai-responses';
/** Under these names `encrypted_content` carries what other providers wrote: a signature, or reasoning nobody can read. */
const signatureMark = 'signature:';
const redactedMark = 'redacted:';

/** null for an item that says nothing: no text, and nothing that its provider could read. */
export function decodeReasoning(item: JsonObject): ReasoningBlock | null {
  const text = [...textsOf(item.summary), ...textsOf(item.content)].join('\n\n');
  const encrypted = item.encrypted_content;
  if (typeof encrypted !== 'string' || encrypted === '') return text === '' ? null : { type: 'reasoning', text };
  if (encrypted.startsWith(signatureMark)) {
    return { type: 'reasoning', text, signature: encrypted.slice(signatureMark.length) };
  }
  if (encrypted.startsWith(redactedMark)) {
    return { type: 'reasoning', text: '', redacted: encrypted.slice(redactedMark.length) };
  }
  const own = sealed(dialect, `${typeof item.id === 'string' ? item.id : ''}:${encrypted}`);
  return text === '' ? { type: 'reasoning', text, redacted: own } : { type: 'reasoning', text, signature: own };
}

/** What this format's own provider wrote, to be given back to it; null for everything else. */
export function ownReasoning(block: ReasoningBlock): JsonObject | null {
  const own = unsealed(dialect, block.signature ?? block.redacted ?? '');
  if (own === undefined) return null;
  const end = own.indexOf(':');
  return {
    type: 'reasoning',
    ...(end > 0 ? { id: own.slice(0, end) } : {}),
    summary: summaryOf(block.text),
    encrypted_content: own.slice(end + 1),
  };
}

/** Reasoning of any provider as an item for a caller, who sends it back as it is. */
export function reasoningItem(block: ReasoningBlock, id: string): JsonObject {
  const own = ownReasoning(block);
  if (own !== null) return { id, ...own };
  const carried = block.signature ?? block.redacted;
  const encrypted =
    carried === undefined
      ? {}
      : { encrypted_content: (block.redacted === undefined ? signatureMark : redactedMark) + carried };
  return { id, type: 'reasoning', summary: summaryOf(block.text), ...encrypted };
}

/** Was this item written for a caller from another provider's reasoning? Its format's own provider cannot read it. */
export function isForeignReasoning(item: Json): boolean {
  if (!isJsonObject(item) || item.type !== 'reasoning') return false;
  const { encrypted_content: encrypted } = item;
  return typeof encrypted === 'string' && (/^(signature|redacted):/.test(encrypted) || isSealed(encrypted));
}

export function summaryOf(text: string): JsonObject[] {
  return text === '' ? [] : [{ type: 'summary_text', text }];
}

function textsOf(parts: Json | undefined): string[] {
  if (!Array.isArray(parts)) return [];
  return parts
    .filter(isJsonObject)
    .map((part) => part.text)
    .filter((text): text is string => typeof text === 'string' && text !== '');
}
