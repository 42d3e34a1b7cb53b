import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

/*
 * This format is chat completions with other names for some parameters and a few parts of its own. A request is read by
 * giving it the usual names; what is named the same is left as it is.
 */

const renamed: Readonly<Record<string, string>> = { p: 'top_p', k: 'top_k', stop_sequences: 'stop' };

export function asChat(body: JsonObject): JsonObject {
  const members = new Map<string, Json | undefined>();
  for (const [name, value] of Object.entries(body)) {
    if (value === undefined) continue;
    switch (name) {
      case 'messages':
        members.set(name, Array.isArray(value) ? value.map(chatMessage) : value);
        break;
      case 'tool_choice':
        members.set(name, typeof value === 'string' ? value.toLowerCase() : value);
        break;
      case 'tools':
        members.set(name, Array.isArray(value) ? value.map((tool) => chatTool(tool, body.strict_tools)) : value);
        break;
      case 'response_format':
        members.set(name, chatFormat(value));
        break;
      case 'thinking':
        members.set(name, chatThinking(value));
        break;
      case 'strict_tools':
        break;
      default:
        members.set(renamed[name] ?? name, value);
    }
  }
  return Object.fromEntries(members) as JsonObject;
}

function chatMessage(message: Json): Json {
  if (!isJsonObject(message)) return message;
  if (message.role === 'tool') return { ...message, content: chatResult(message.content) };
  if (message.role !== 'assistant') return message;
  const { tool_plan: plan, citations: _citations, content, ...rest } = message;
  const parts = Array.isArray(content) ? content : [];
  const thinking = parts.filter((part) => isJsonObject(part) && part.type === 'thinking');
  const said = Array.isArray(content) ? parts.filter((part) => !thinking.includes(part)) : (content ?? null);
  const isSilent = said === null || said === '' || (Array.isArray(said) && said.length === 0);
  const planned = typeof plan === 'string' && plan !== '' ? plan : null;
  return {
    ...rest,
    content: planned !== null && isSilent ? planned : said,
    ...(thinking.length > 0 ? { thinking_blocks: thinking } : {}),
  };
}

/** Documents that a tool found: others read them as text. */
function chatResult(content: Json | undefined): Json | undefined {
  if (!Array.isArray(content)) return content;
  return content.map((part) => {
    if (!isJsonObject(part) || part.type !== 'document' || !isJsonObject(part.document)) return part;
    const { data } = part.document;
    return { type: 'text', text: typeof data === 'string' ? data : JSON.stringify(data ?? null) };
  });
}

function chatTool(tool: Json, strict: Json | undefined): Json {
  if (!isJsonObject(tool) || !isJsonObject(tool.function) || typeof strict !== 'boolean') return tool;
  return { ...tool, function: { strict, ...tool.function } };
}

function chatFormat(format: Json): Json {
  if (!isJsonObject(format) || format.type !== 'json_object' || !isJsonObject(format.json_schema)) return format;
  return { type: 'json_schema', json_schema: { name: 'response', schema: format.json_schema } };
}

function chatThinking(thinking: Json): Json {
  if (!isJsonObject(thinking)) return thinking;
  const { token_budget: budget, ...rest } = thinking;
  return budget === undefined || budget === null ? rest : { ...rest, budget_tokens: budget };
}
