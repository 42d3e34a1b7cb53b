import type { BodyEdits, EncodeOptions } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type {
  ContentBlock,
  NeutralMessage,
  NeutralRequest,
  NeutralTool,
  ReasoningOptions,
  ResponseFormat,
} from '../../core/neutral.ts';
import { crossing } from '../foreign-parameters.ts';
import { present } from '../openai-chat/encode-request.ts';
import {
  inexpressible,
  parameterEdits,
  refuseParameters,
  strangeContent,
  unsupportedParameters,
  withEdits,
} from '../parameter-edits.ts';
import { soundIn } from './sound.ts';

export function encodeChat(request: NeutralRequest, options: EncodeOptions): JsonObject {
  const body: JsonObject = {
    model: request.model,
    messages: encodeMessages(request),
    ...(request.tools.length > 0 ? { tools: encodeTools(request) } : {}),
    ...encodeCommon(request, options, toolsRefused(request)),
  };
  return withEdits(body, passThrough(body, options));
}

/** Settings of a model, which stand in `options`; the server does not see them anywhere else. */
const settings: ReadonlySet<string> = new Set(
  `num_keep num_ctx num_batch num_gpu main_gpu num_thread numa low_vram f16_kv logits_all vocab_only use_mmap use_mlock
   embedding_only min_p tfs_z typical_p repeat_last_n repeat_penalty mirostat mirostat_tau mirostat_eta
   penalize_newline`.split(/\s+/),
);
const atTop: ReadonlySet<string> = new Set([
  'keep_alive',
  'options',
  'template',
  'raw',
  'suffix',
  'context',
  'shift',
  'truncate',
]);
const target = { own: ['ollama'], knows: (name: string) => settings.has(name) || atTop.has(name) } as const;

/** Only what fits into one prompt. */
export function encodeGenerate(request: NeutralRequest, options: EncodeOptions): JsonObject {
  const [message] = request.messages;
  if (request.messages.length !== 1 || message?.role !== 'user') throw inexpressible('conversations of several turns');
  const { content, images } = userMessage(message.content);
  const body: JsonObject = {
    model: request.model,
    prompt: content,
    ...(request.system.length > 0 ? { system: request.system.map(({ text }) => text).join('\n\n') } : {}),
    ...present('images', images),
    ...encodeCommon(request, options, request.tools.length > 0 ? ['tools'] : []),
  };
  return withEdits(body, passThrough(body, options));
}

function encodeCommon(request: NeutralRequest, options: EncodeOptions, more: readonly string[]): JsonObject {
  const { passed, refused } = crossing(request.extra, target, options);
  const { options: others, ...extra } = passed;
  refuseParameters([...refused, ...neutralRefused(request), ...more], options);
  const isSetting = (name: string) => settings.has(name);
  const told: JsonObject = {
    ...Object.fromEntries(Object.entries(extra).filter(([name]) => isSetting(name))),
    ...present('temperature', request.temperature),
    ...present('top_p', request.topP),
    ...present('top_k', request.topK),
    ...present('seed', request.seed),
    ...(request.stop.length > 0 ? { stop: request.stop } : {}),
    ...present('num_predict', request.maxOutputTokens),
    ...present('presence_penalty', request.presencePenalty),
    ...present('frequency_penalty', request.frequencyPenalty),
    ...(isJsonObject(others) ? others : {}),
  };
  return {
    ...Object.fromEntries(Object.entries(extra).filter(([name]) => !isSetting(name))),
    stream: request.stream,
    ...present('format', encodeFormat(request.responseFormat)),
    ...present('think', encodeThink(request.reasoning)),
    ...(Object.keys(told).length > 0 ? { options: told } : {}),
    ...(request.logprobs === undefined
      ? {}
      : { logprobs: true, ...present('top_logprobs', request.logprobs.topLogprobs) }),
  };
}

/** What stands at the top of a request; every other setting of a model stands in its `options`. */
const topLevel: ReadonlySet<string> = new Set(['keep_alive', 'think', 'format', 'stream', 'tools', 'template', 'raw']);
const optionNames: Readonly<Record<string, string>> = {
  max_tokens: 'num_predict',
  max_completion_tokens: 'num_predict',
};

/** A deployment's rules; what it says of a model's settings goes into `options`. */
export function passThrough(body: JsonObject, options: EncodeOptions): BodyEdits {
  const split = (members: JsonObject, isTop: boolean) =>
    Object.fromEntries(Object.entries(members).filter(([name]) => topLevel.has(name) === isTop)) as JsonObject;
  const edits = parameterEdits(
    body,
    {
      ...options,
      defaults: split(options.defaults, true),
      maxOutputTokensClamp: undefined,
    },
    { maxTokensNames: [], maxTokensRequired: false },
  );
  const given = isJsonObject(body.options) ? body.options : {};
  const changed: JsonObject = { ...given };
  for (const [name, value] of Object.entries(split(options.defaults, false))) {
    const option = optionNames[name] ?? name;
    if (given[option] === undefined) changed[option] = value;
  }
  const clamp = options.maxOutputTokensClamp;
  if (clamp !== undefined) {
    const asked = changed.num_predict;
    changed.num_predict = typeof asked === 'number' && asked >= 1 ? Math.min(asked, clamp) : clamp;
  }
  if (JSON.stringify(changed) !== JSON.stringify(given)) edits.set('options', changed);
  return edits;
}

function neutralRefused(request: NeutralRequest): string[] {
  const names: string[] = [];
  if (request.choices !== undefined && request.choices !== 1) names.push('n');
  return names;
}

/**
 * Which tool is called, and how many at once, is the model's own choice: the server has no `tool_choice` here, and one in
 * `options` has no effect. https://github.com/ollama/ollama/issues/11171
 */
function toolsRefused({ tools, toolChoice, parallelToolCalls }: NeutralRequest): string[] {
  if (tools.length === 0) return [];
  const names: string[] = [];
  if (toolChoice?.type === 'required' || toolChoice?.type === 'tool') names.push('tool_choice');
  if (parallelToolCalls === false) names.push('parallel_tool_calls');
  return names;
}

/** Where a choice is dropped, the model gets at least no other tool than the one that was chosen. */
function encodeTools({ tools, toolChoice }: NeutralRequest): JsonObject[] {
  if (toolChoice?.type === 'none') return [];
  return (toolChoice?.type === 'tool' ? tools.filter(({ name }) => name === toolChoice.name) : tools).map(encodeTool);
}

function encodeTool(tool: NeutralTool): JsonObject {
  if (tool.vendor !== undefined) throw unsupportedParameters([`tools: ${tool.name}`]);
  return {
    type: 'function',
    function: {
      name: tool.name,
      ...present('description', tool.description),
      parameters: tool.parameters ?? { type: 'object', properties: {} },
    },
  };
}

function encodeFormat(wish: ResponseFormat | undefined): Json | undefined {
  if (wish === undefined || wish.type === 'text') return undefined;
  return wish.type === 'json_schema' ? wish.schema : 'json';
}

function encodeThink(reasoning: ReasoningOptions | undefined): Json | undefined {
  if (reasoning === undefined) return undefined;
  const { mode, effort, budgetTokens } = reasoning;
  if (mode === 'disabled' || effort === 'none') return false;
  if (effort !== undefined)
    return effort === 'minimal' ? 'low' : effort === 'xhigh' || effort === 'max' ? 'high' : effort;
  return mode !== undefined || budgetTokens !== undefined ? true : undefined;
}

function encodeMessages(request: NeutralRequest): JsonObject[] {
  const messages: JsonObject[] = request.system.map(({ text }) => ({ role: 'system', content: text }));
  const names = new Map<string, string>();
  for (const message of request.messages) {
    if (message.role === 'assistant') {
      for (const block of message.content) if (block.type === 'tool_call') names.set(block.id, block.name);
      messages.push({ role: 'assistant', ...assistantMessage(message) });
    } else messages.push(...userMessages(message.content, names));
  }
  return messages;
}

function userMessages(content: readonly ContentBlock[], names: ReadonlyMap<string, string>): JsonObject[] {
  const messages: JsonObject[] = [];
  const rest: ContentBlock[] = [];
  for (const block of content) {
    if (block.type !== 'tool_result') {
      rest.push(block);
      continue;
    }
    const said = block.content.map((part) => {
      if (part.type === 'text') return part.text;
      throw inexpressible(`a ${part.type} in the result of a tool`);
    });
    messages.push({
      role: 'tool',
      content: said.join('\n'),
      ...present('tool_name', names.get(block.toolCallId)),
      tool_call_id: block.toolCallId,
    });
  }
  if (rest.length > 0 || messages.length === 0) messages.push({ role: 'user', ...userMessage(rest) });
  return messages;
}

function userMessage(content: readonly ContentBlock[]): { content: string; images?: string[] } {
  const texts: string[] = [];
  const images: string[] = [];
  for (const block of content) {
    if (block.type === 'text' || block.type === 'refusal') texts.push(block.text);
    else if (block.type === 'image' && block.source.kind === 'base64') images.push(block.source.base64);
    else if (block.type === 'image') throw inexpressible('images by address: send them as data URLs');
    else if (block.type === 'audio' && block.source.kind === 'base64') images.push(soundOf(block.source.base64));
    else if (block.type === 'audio') throw inexpressible('sounds by address: send them as bytes');
    else if (block.type === 'vendor') throw strangeContent(block.block);
    else throw inexpressible(`a ${block.type.replace('_', ' ')} in a message of a user`);
  }
  return { content: texts.join('\n'), ...(images.length > 0 ? { images } : {}) };
}

/** What the server would not know for a sound it would take for a broken image. */
function soundOf(base64: string): string {
  if (soundIn(base64) === null) throw inexpressible('sounds other than WAV and MP3');
  return base64;
}

function assistantMessage({ content }: NeutralMessage): JsonObject {
  let said = '';
  let thinking = '';
  const calls: JsonObject[] = [];
  for (const block of content) {
    if (block.type === 'text' || block.type === 'refusal') said += block.text;
    else if (block.type === 'reasoning') thinking += block.text;
    else if (block.type === 'tool_call') calls.push(encodeCall(block));
    else if (block.type !== 'vendor') throw inexpressible(`a ${block.type} in a message of the assistant`);
  }
  return {
    content: said,
    ...(thinking === '' ? {} : { thinking }),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}

function encodeCall(call: { id: string; name: string; arguments: string }): JsonObject {
  return { id: call.id, type: 'function', function: { name: call.name, arguments: argumentsOf(call) } };
}

function argumentsOf({ id, arguments: text }: { id: string; arguments: string }): JsonObject {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value)) return value;
  } catch {
    // Told below.
  }
  const problem = `the arguments of tool call ${JSON.stringify(id.slice(0, 80))} are not a JSON object`;
  throw new GatewayError('malformed_request', `messages: ${problem}`, { param: 'messages' });
}

/** A model may write broken JSON: the caller gets to see it rather than an error. */
export function callTold(call: { id: string; name: string; arguments: string }): JsonObject {
  try {
    return encodeCall(call);
  } catch {
    return { id: call.id, type: 'function', function: { name: call.name, arguments: { arguments: call.arguments } } };
  }
}
