import type { JsonObject } from '../core/json.ts';
import type { ContentBlock, NeutralMessage, NeutralTool } from '../core/neutral.ts';
import { inexpressible } from './parameter-edits.ts';
import { isSealed } from './reasoning-seal.ts';
import { plainCallId } from './thought-signature.ts';

/*
 * Some providers want turns: the user's and the assistant's one after the other, none of them empty, and the results of
 * tools right behind the calls that they answer. They refuse anything else in words about their own format.
 */

/** Messages without those that say nothing; of neighbours with the same role, one. */
export function strictTurns(messages: readonly NeutralMessage[], isOwnFormat = false): NeutralMessage[] {
  const turns: NeutralMessage[] = [];
  for (const { role, content } of messages) {
    const said = content.filter(saysSomething);
    if (said.length === 0) continue;
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...said);
    else turns.push({ role, content: said });
  }
  if (turns.length === 0) throw inexpressible('conversations in which nobody says anything');
  // In its own words the provider tells it better.
  if (!isOwnFormat) checkCalls(turns);
  return turns;
}

/** Empty texts are refused, and reasoning is nobody's but its provider's. */
export function saysSomething(block: ContentBlock): boolean {
  if (block.type === 'text' || block.type === 'refusal') return block.text !== '';
  if (block.type !== 'reasoning') return true;
  const proof = block.redacted ?? block.signature;
  return proof !== undefined && !isSealed(proof);
}

function checkCalls(turns: readonly NeutralMessage[]): void {
  for (const [index, { content }] of turns.entries()) {
    const asked = idsIn(turns[index - 1], 'tool_call');
    const stray = idsIn({ content }, 'tool_result').find((id) => !asked.includes(id));
    if (stray !== undefined) {
      throw inexpressible(`the result of a tool call that is not in the message before it: ${quoted(stray)}`);
    }
    const results = idsIn(turns[index + 1], 'tool_result');
    const open = idsIn({ content }, 'tool_call').find((id) => !results.includes(id));
    if (open !== undefined) {
      throw inexpressible(`a tool call whose result is not in the message after it: ${quoted(open)}`);
    }
  }
}

function idsIn(turn: Pick<NeutralMessage, 'content'> | undefined, type: 'tool_call' | 'tool_result'): string[] {
  const ids: string[] = [];
  for (const block of turn?.content ?? []) {
    if (block.type === 'tool_call' && type === 'tool_call') ids.push(plainCallId(block.id));
    else if (block.type === 'tool_result' && type === 'tool_result') ids.push(plainCallId(block.toolCallId));
  }
  return ids;
}

function quoted(id: string): string {
  return JSON.stringify(id.slice(0, 80));
}

/** The schema of a tool for providers that take objects alone, and want to read that it is one. */
export function objectSchema({ name, parameters = {} }: NeutralTool): JsonObject {
  const { type } = parameters;
  if (type === 'object') return parameters;
  if (type === undefined)
    return { type: 'object', ...(Object.keys(parameters).length === 0 ? { properties: {} } : {}), ...parameters };
  throw inexpressible(
    `tools whose parameters are no object: ${quoted(name)} has the type ${quoted(String(type))}`,
    'tools',
  );
}
