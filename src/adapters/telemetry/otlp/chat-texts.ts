import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts';
import type { ContentBlock, NeutralMessage } from '../../../core/neutral.ts';
import type { RequestContent } from '../../sinks/entry.ts';
import { partOf, saidTexts, told } from './messages.ts';

/**
 * What was said as a conversation of `role` and `content`, system text first, which is how Langfuse shows one; what is no
 * conversation, or cannot be read, as for every collector.
 */
export function chatTexts(content: RequestContent): { readonly input: string | null; readonly output: string | null } {
  const { dialect, request, response } = content;
  const { input, output } = saidTexts(content);
  return {
    input: attempted(() => {
      const { system, messages } = dialect.request.decode(request);
      const first = system.length === 0 ? [] : [{ role: 'system', content: contentOf(system) }];
      return messages.length === 0 ? null : told([...first, ...messages.flatMap(messagesOf)]);
    }, input),
    output: attempted(() => {
      const body: unknown = response === null ? null : JSON.parse(response);
      if (!isJsonObject(body)) return null;
      const choices = dialect.response.decode(body).choices.map(({ content: said }) => answerOf(said));
      return choices.length === 0 ? null : told(choices.length === 1 ? choices[0]! : choices);
    }, output),
  };
}

function attempted(read: () => string | null, otherwise: string | null): string | null {
  try {
    return read() ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Results of tools are messages of their own. */
function messagesOf({ role, content }: NeutralMessage): JsonObject[] {
  const results = content.flatMap((block) =>
    block.type === 'tool_result'
      ? [{ role: 'tool', tool_call_id: block.toolCallId, content: contentOf(block.content) }]
      : [],
  );
  const rest = content.filter(({ type }) => type !== 'tool_result');
  return rest.length === 0 && results.length > 0
    ? results
    : [...results, role === 'assistant' ? answerOf(rest) : { role, content: contentOf(rest) }];
}

function answerOf(blocks: readonly ContentBlock[]): JsonObject {
  const calls = blocks.flatMap((block) =>
    block.type === 'tool_call'
      ? [{ id: block.id, type: 'function', function: { name: block.name, arguments: block.arguments } }]
      : [],
  );
  const rest = blocks.filter(({ type }) => type !== 'tool_call');
  return {
    role: 'assistant',
    content: rest.length === 0 ? null : contentOf(rest),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

/** Plain text as text; media are named. */
function contentOf(blocks: readonly ContentBlock[]): Json {
  if (blocks.every((block) => block.type === 'text')) return blocks.map(({ text }) => text).join('\n');
  return blocks.map((block) => (block.type === 'text' ? { type: 'text', text: block.text } : partOf(block)));
}
