import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { isSealed } from './reasoning-seal.ts';
import { plainCallId } from './thought-signature.ts';

/*
 * A conversation that stays in its caller's format may have been answered by somebody else before: by a fallback, or by
 * another member of the group. What only that provider understands must not reach the next one, which would refuse it.
 */

/** The messages to send in place of the caller's; undefined where nothing in them is foreign. */
export function plainChatMessages(messages: Json | undefined): Json[] | undefined {
  return changed(messages, (message) => {
    const calls = changed(message.tool_calls, (call) => withPlainId(call, 'id'));
    const plain = withPlainId(message, 'tool_call_id');
    return calls === undefined ? plain : { ...plain, tool_calls: calls };
  });
}

/** The same for messages of content blocks, out of which foreign thoughts are taken. */
export function plainBlockMessages(messages: Json | undefined): Json[] | undefined {
  return changed(messages, (message) => {
    const { content } = message;
    if (!Array.isArray(content)) return message;
    const own = content.filter((block) => !isForeignThought(block));
    const plain = changed(own, (block) => withPlainId(withPlainId(block, 'id'), 'tool_use_id')) ?? own;
    if (plain === own && own.length === content.length) return message;
    return { ...message, content: plain };
  });
}

/** The same for items that stand beside each other: calls and what came of them. */
export function plainCallItems(items: Json[]): Json[] | undefined {
  return changed(items, (item) => withPlainId(item, 'call_id'));
}

function changed(list: Json | undefined, change: (entry: JsonObject) => JsonObject): Json[] | undefined {
  if (!Array.isArray(list)) return undefined;
  let copy: Json[] | undefined;
  for (const [index, entry] of list.entries()) {
    if (!isJsonObject(entry)) continue;
    const made = change(entry);
    if (made === entry) continue;
    copy ??= [...list];
    copy[index] = made;
  }
  return copy;
}

function withPlainId(object: JsonObject, name: string): JsonObject {
  const id = object[name];
  if (typeof id !== 'string') return object;
  const plain = plainCallId(id);
  return plain === id ? object : { ...object, [name]: plain };
}

function isForeignThought(block: Json): boolean {
  if (!isJsonObject(block)) return false;
  const proof =
    block.type === 'thinking' ? block.signature : block.type === 'redacted_thinking' ? block.data : undefined;
  return typeof proof === 'string' && isSealed(proof);
}
