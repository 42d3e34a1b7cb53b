import type { JsonObject } from '../../core/json.ts';
import type { KeptObject } from '../../core/ports.ts';

export const conversationKind = 'conversation';
export const itemKind = 'item';

export function isConversation({ kind }: KeptObject): boolean {
  return kind === conversationKind;
}

export function itemOf({ body }: KeptObject): JsonObject {
  return JSON.parse(body) as JsonObject;
}

const prefixes: Readonly<Record<string, string>> = {
  message: 'msg',
  reasoning: 'rs',
  function_call: 'fc',
  function_call_output: 'fco',
};

/** Every item can be asked for by its id: those that came without one get it. */
export function withId(item: JsonObject, unique: string): JsonObject {
  const type = typeof item.type === 'string' ? item.type : 'message';
  const id = typeof item.id === 'string' && item.id !== '' ? item.id : `${prefixes[type] ?? 'item'}_${unique}`;
  return { ...item, id, type, ...(item.status === undefined ? { status: 'completed' } : {}) };
}
