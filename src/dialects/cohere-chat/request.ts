import type { BodyEdits, EncodeOptions, RequestFacts } from '../../core/dialect.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { NeutralRequest, NeutralTool, ReasoningOptions, ResponseFormat } from '../../core/neutral.ts';
import {
  asObject,
  filledList,
  optionalBoolean,
  optionalList,
  optionalNumber,
  optionalString,
  optionalStrings,
  optionalWhole,
} from '../body-checks.ts';
import { crossing } from '../foreign-parameters.ts';
import { decodeRequest as decodeChat } from '../openai-chat/decode-request.ts';
import { present } from '../openai-chat/encode-request.ts';
import { inspectChat } from '../openai-chat/inspect.ts';
import {
  type ParameterFormat,
  parameterEdits,
  refuseParameters,
  unsupportedParameters,
  withEdits,
} from '../parameter-edits.ts';
import { asChat } from './as-chat.ts';
import { encodeMessages } from './messages.ts';

export function inspectCohere(body: JsonObject): RequestFacts {
  optionalNumber(body, 'p');
  optionalWhole(body, 'k', 0);
  optionalStrings(body, 'stop_sequences');
  optionalBoolean(body, 'strict_tools');
  optionalList(body, 'documents');
  for (const [index, message] of filledList(body, 'messages').entries()) {
    if (isJsonObject(message)) checkOwnParts(message, `messages[${index}]`);
  }
  const facts = inspectChat(asChat(body));
  // This format always tells.
  return { ...facts, usageInStream: true };
}

/** What other formats do not have; everything else is checked as theirs. */
function checkOwnParts(message: JsonObject, path: string): void {
  optionalString(message, 'tool_plan', `${path}.tool_plan`);
  if (message.role !== 'tool' || !Array.isArray(message.content)) return;
  for (const [index, part] of message.content.entries()) {
    if (!isJsonObject(part) || part.type !== 'document') continue;
    asObject(part.document, `${path}.content[${index}].document`);
  }
}

export function decodeCohere(body: JsonObject): NeutralRequest {
  inspectCohere(body);
  const request = decodeChat(asChat(body));
  // Signatures are none of this format's, and its thinking needs none.
  return { ...request, includeUsageInStream: true };
}

const format: ParameterFormat = { maxTokensNames: ['max_tokens'], maxTokensRequired: false };

export function passThrough(body: JsonObject, options: EncodeOptions): BodyEdits {
  return parameterEdits(body, options, format);
}

/** What its chat takes beside what has a place in the neutral form. */
const known: ReadonlySet<string> = new Set([
  'documents',
  'citation_options',
  'safety_mode',
  'priority',
  'raw_prompting',
]);
const target = { own: ['cohere'], knows: (name: string) => known.has(name) } as const;

export function encodeCohere(request: NeutralRequest, options: EncodeOptions): JsonObject {
  const { passed, refused } = crossing(request.extra, target, options);
  refuseParameters([...refused, ...neutralRefused(request)], options);
  const tools = encodeTools(request);
  const isStrict = tools.length > 0 && request.tools.every(({ strict }) => strict === true);
  const body: JsonObject = {
    ...passed,
    model: request.model,
    messages: encodeMessages(request, options.traits),
    ...(request.stream ? { stream: true } : {}),
    ...(tools.length > 0 ? { tools } : {}),
    ...(isStrict ? { strict_tools: true } : {}),
    ...present('tool_choice', tools.length > 0 ? encodeToolChoice(request) : undefined),
    ...present('max_tokens', request.maxOutputTokens),
    ...present('temperature', request.temperature),
    ...present('p', request.topP),
    ...present('k', request.topK),
    ...(request.stop.length > 0 ? { stop_sequences: request.stop } : {}),
    ...present('seed', request.seed),
    ...present('presence_penalty', request.presencePenalty),
    ...present('frequency_penalty', request.frequencyPenalty),
    ...present('response_format', encodeFormat(request.responseFormat)),
    ...present('thinking', encodeThinking(request.reasoning)),
    ...(request.logprobs === undefined ? {} : { logprobs: true }),
  };
  return withEdits(body, passThrough(body, options));
}

/** What the neutral form can say and this format cannot; values that ask for nothing are left out. */
function neutralRefused(request: NeutralRequest): string[] {
  const names: string[] = [];
  if (request.choices !== undefined && request.choices !== 1) names.push('n');
  if (request.parallelToolCalls === false) names.push('parallel_tool_calls');
  if (request.logprobs?.topLogprobs) names.push('top_logprobs');
  return names;
}

/** A single tool cannot be asked for by its name: the others are left out. */
function encodeTools({ tools, toolChoice }: NeutralRequest): JsonObject[] {
  const offered = toolChoice?.type === 'tool' ? tools.filter(({ name }) => name === toolChoice.name) : tools;
  return offered.map(encodeTool);
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

function encodeToolChoice({ toolChoice }: NeutralRequest): string | undefined {
  if (toolChoice === undefined || toolChoice.type === 'auto') return undefined;
  return toolChoice.type === 'none' ? 'NONE' : 'REQUIRED';
}

function encodeFormat(wish: ResponseFormat | undefined): Json | undefined {
  if (wish === undefined) return undefined;
  return wish.type === 'json_schema' ? { type: 'json_object', json_schema: wish.schema } : { type: wish.type };
}

function encodeThinking(reasoning: ReasoningOptions | undefined): JsonObject | undefined {
  if (reasoning === undefined) return undefined;
  const { mode, effort, budgetTokens } = reasoning;
  if (mode === 'disabled' || effort === 'none') return { type: 'disabled' };
  if (mode === undefined && budgetTokens === undefined && effort === undefined) return undefined;
  return { type: 'enabled', ...present('token_budget', budgetTokens ?? budgetByEffort[effort ?? '']) };
}

/** This format has a budget where others have an effort. */
const budgetByEffort: Readonly<Record<string, number>> = {
  minimal: 512,
  low: 1_024,
  medium: 4_096,
  high: 16_384,
  xhigh: 32_768,
  max: 32_768,
};
