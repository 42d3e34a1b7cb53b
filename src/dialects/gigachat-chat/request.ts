import type { EncodeOptions } from '../../core/dialect.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { ReasoningOptions } from '../../core/neutral.ts';
import { toolInput } from '../anthropic-messages/encode-content.ts';
import { effortOfBudget } from '../openai-chat/encode-request.ts';
import { inexpressible, refuseParameters } from '../parameter-edits.ts';
import { attachmentOf, isImage, partOf, readsDocuments } from './attachments.ts';

/** What a conversation's state is called by, in the id of a call that belongs to it. */
const stateId = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:_\d+)?$/i;

/** What chat completions have and this format has not. */
const unknown = ['thinking', 'logprobs', 'top_logprobs', 'seed', 'stop'];

/** A request of chat completions in the words of this format. */
export function ownRequest(chat: JsonObject, options: EncodeOptions): JsonObject {
  const { messages, tools, tool_choice: choice, parallel_tool_calls: _always, stream_options: _told, ...rest } = chat;
  const { response_format: format, reasoning_effort: effort, ...settings } = rest;
  const answer = answerFormat(format);
  refuseParameters(
    [...unknown.filter((name) => chat[name] !== undefined), ...(answer === null ? ['response_format'] : [])],
    options,
  );
  const functions = Array.isArray(tools) ? tools.filter(isJsonObject).map(functionOf) : [];
  const own = ownMessages((messages as Json[]).filter(isJsonObject));
  const chosen = functions.length > 0 ? { functions, ...choiceOf(choice, functions, options) } : {};
  return {
    ...Object.fromEntries(
      Object.entries(settings).filter(([name]) => !unknown.includes(name) || options.allowedParams.includes(name)),
    ),
    messages: own,
    ...answer,
    ...(typeof effort === 'string' && effort !== 'none' ? { reasoning_effort: efforts[effort] ?? effort } : {}),
    // The model opens a document with a function of the service's own, which must be allowed.
    ...(readsDocuments(own) && choice !== 'none' ? { function_call: 'auto' } : {}),
    ...chosen,
  };
}

/** Thinking is asked for by an effort alone. */
export function effortOf(reasoning: ReasoningOptions | undefined): ReasoningOptions | undefined {
  if (reasoning === undefined || reasoning.mode === 'disabled') return undefined;
  const { effort, budgetTokens } = reasoning;
  return { effort: effort ?? (budgetTokens === undefined ? 'medium' : effortOfBudget(budgetTokens)) };
}

/** The nearest of low, medium and high. */
const efforts: Readonly<Record<string, string>> = { minimal: 'low', xhigh: 'high', max: 'high' };

/** A shape stands beside its type; null for what there is no word for. */
function answerFormat(format: Json | undefined): JsonObject | null {
  if (!isJsonObject(format) || format.type === 'text') return {};
  if (format.type !== 'json_schema' || !isJsonObject(format.json_schema)) return null;
  const { schema, strict } = format.json_schema;
  return {
    response_format: { type: 'json_schema', schema: schema ?? {}, ...(strict === undefined ? {} : { strict }) },
  };
}

function functionOf({ type, function: described }: JsonObject): JsonObject {
  if (!isJsonObject(described)) throw inexpressible(`tools of type ${JSON.stringify(String(type))}`, 'tools');
  const { strict: _strict, ...plain } = described;
  return { parameters: { type: 'object', properties: {} }, ...plain };
}

function choiceOf(choice: Json | undefined, functions: readonly JsonObject[], options: EncodeOptions): JsonObject {
  if (choice === 'auto' || choice === 'none') return { function_call: choice };
  if (isJsonObject(choice) && isJsonObject(choice.function)) {
    return { function_call: { name: choice.function.name ?? null } };
  }
  if (choice !== 'required') return {};
  const [only, other] = functions;
  if (other === undefined) return { function_call: { name: only!.name ?? null } };
  refuseParameters(['tool_choice'], options);
  return {};
}

/** One system text, first; after each call its result. */
function ownMessages(messages: readonly JsonObject[]): JsonObject[] {
  const system = messages.filter(({ role }) => role === 'system').map((one) => textOf(one.content));
  const own: JsonObject[] = system.length === 0 ? [] : [{ role: 'system', content: system.join('\n\n') }];
  const results: Results = new Map();
  for (const { role, tool_call_id: id, content } of messages) {
    if (role === 'tool') results.set(id, [...(results.get(id) ?? []), textOf(content)]);
  }
  for (const message of messages) {
    if (message.role === 'user') own.push(...userMessages(message.content));
    if (message.role === 'assistant') own.push(...assistantTurn(message, results));
  }
  const [stray] = [...results].filter(([, left]) => left.length > 0);
  if (stray !== undefined) {
    const id = JSON.stringify(String(stray[0]).slice(0, 80));
    throw inexpressible(`the result of a tool call that is not before it: ${id}`);
  }
  return own;
}

/** Texts, and what is attached to them. A message holds one image: the next one begins another message. */
function userMessages(content: Json | undefined): JsonObject[] {
  if (!Array.isArray(content)) return [{ role: 'user', content: textOf(content) }];
  const messages: { texts: JsonObject[]; attachments: string[] }[] = [];
  for (const part of content.filter(isJsonObject)) {
    const attachment = attachmentOf(part);
    let last = messages.at(-1);
    if (last === undefined || (isImage(attachment) && last.attachments.some(isImage))) {
      last = { texts: [], attachments: [] };
      messages.push(last);
    }
    if (attachment === null) last.texts.push(part);
    else last.attachments.push(attachment);
  }
  return messages.map(({ texts, attachments }) => ({
    role: 'user',
    content: textOf(texts),
    ...(attachments.length > 0 ? { attachments } : {}),
  }));
}

/** By the id of the call, in order: nobody promises that ids are used once. */
type Results = Map<Json | undefined, string[]>;

function assistantTurn(message: JsonObject, results: Results): JsonObject[] {
  let content = textOf(message.content);
  const turn: JsonObject[] = [];
  for (const call of Array.isArray(message.tool_calls) ? message.tool_calls : []) {
    if (!isJsonObject(call) || !isJsonObject(call.function)) throw inexpressible('tools that take free text');
    const id = String(call.id);
    const name = String(call.function.name);
    const state = stateId.exec(id)?.[1];
    turn.push({
      role: 'assistant',
      content,
      function_call: { name, arguments: toolInput(id, String(call.function.arguments ?? '')) },
      ...(state === undefined ? {} : { functions_state_id: state }),
    });
    content = '';
    const result = results.get(call.id)?.shift();
    if (result !== undefined) turn.push({ role: 'function', name, content: objectText(result) });
  }
  return turn.length === 0 ? [{ role: 'assistant', content }] : turn;
}

/** A result is the text of a JSON object. */
function objectText(text: string): string {
  try {
    if (isJsonObject(JSON.parse(text) as Json)) return text;
  } catch {
    // Told as what it is.
  }
  return JSON.stringify({ result: text });
}

function textOf(content: Json | undefined): string {
  if (typeof content === 'string') return content;
  const parts = (Array.isArray(content) ? content : []).filter(isJsonObject);
  return parts
    .map(({ type, text }) => {
      if (type === 'text' && typeof text === 'string') return text;
      throw inexpressible(`content of type ${JSON.stringify(String(type).slice(0, 80))}`);
    })
    .join('\n');
}

/** The same the other way: what was asked, as chat completions say it. */
export function sharedRequest(body: JsonObject): JsonObject {
  const { messages, functions, function_call: choice, response_format: format, ...rest } = body;
  const name = isJsonObject(choice) ? choice.name : undefined;
  const isOnly = Array.isArray(functions) && functions.length === 1;
  return {
    ...rest,
    messages: Array.isArray(messages) ? sharedMessages(messages) : messages,
    ...(Array.isArray(functions) ? { tools: functions.map((one) => ({ type: 'function', function: one })) } : {}),
    ...(name !== undefined ? { tool_choice: isOnly ? 'required' : { type: 'function', function: { name } } } : {}),
    ...(typeof choice === 'string' && Array.isArray(functions) ? { tool_choice: choice } : {}),
    ...(isJsonObject(format) ? { response_format: sharedFormat(format) } : {}),
  };
}

function sharedFormat({ type, ...described }: JsonObject): JsonObject {
  return type === 'json_schema' ? { type, json_schema: { name: 'answer', ...described } } : { type: type ?? null };
}

function sharedMessages(messages: readonly Json[]): Json[] {
  let calls = 0;
  let id = '';
  return messages.map((message) => {
    if (!isJsonObject(message)) return message;
    const { function_call: call, functions_state_id: state, attachments, ...rest } = message;
    if (Array.isArray(attachments)) {
      const texts = rest.content === '' ? [] : [{ type: 'text', text: rest.content ?? '' }];
      return { ...rest, content: [...attachments.map(partOf), ...texts] };
    }
    if (message.role === 'function') return { role: 'tool', tool_call_id: id, content: message.content ?? '' };
    if (!isJsonObject(call)) return rest;
    id = typeof state === 'string' ? state : `call_${calls++}`;
    const called = { name: call.name ?? '', arguments: JSON.stringify(call.arguments ?? {}) };
    return { ...rest, tool_calls: [{ id, type: 'function', function: called }] };
  });
}
