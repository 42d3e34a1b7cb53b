import type { BodyEdits, EncodeOptions } from '../../core/dialect.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { NeutralRequest, NeutralTool, ReasoningOptions, ResponseFormat, ToolChoice } from '../../core/neutral.ts';
import { plainCallItems } from '../foreign-history.ts';
import { crossing } from '../foreign-parameters.ts';
import { effortOfBudget, present } from '../openai-chat/encode-request.ts';
import {
  type ParameterFormat,
  parameterEdits,
  refuseParameters,
  unsupportedParameters,
  withEdits,
} from '../parameter-edits.ts';
import { withPlainCallIds } from '../thought-signature.ts';
import { encodeCustomTool } from './custom-tools.ts';
import { encodeInput } from './encode-items.ts';
import { isForeignReasoning } from './reasoning.ts';

export function encodeRequest(request: NeutralRequest, options: EncodeOptions): JsonObject {
  const { passed, refused } = crossing(request.extra, { own: ['openai', 'responses'] }, options);
  const { verbosity, web_search_options: webSearch, ...extra } = passed;
  refuseParameters([...refused, ...neutralRefused(request)], options);
  const tools = request.tools.map(encodeTool);
  if (isJsonObject(webSearch)) tools.push(searchTool(webSearch));
  const format = encodeFormat(request.responseFormat);
  const include = includedFor(request, options);
  const body: JsonObject = {
    // The caller's format keeps nothing at the provider unless it says so.
    store: false,
    ...extra,
    model: request.model,
    ...encodeInput({ ...request, messages: [...withPlainCallIds(request.messages)] }, options.traits),
    ...(request.stream ? { stream: true } : {}),
    ...(tools.length > 0 ? { tools } : {}),
    ...present('tool_choice', encodeToolChoice(request.toolChoice, request.tools)),
    ...present('parallel_tool_calls', tools.length > 0 ? request.parallelToolCalls : undefined),
    ...present('max_output_tokens', request.maxOutputTokens),
    ...present('temperature', request.temperature),
    ...present('top_p', request.topP),
    ...(format === undefined && verbosity === undefined
      ? {}
      : { text: { ...present('format', format), ...present('verbosity', verbosity) } }),
    ...present('reasoning', encodeReasoningOptions(request.reasoning, options)),
    ...present('user', request.endUser),
    ...present('top_logprobs', request.logprobs?.topLogprobs),
    ...present('service_tier', request.serviceTier === 'standard_only' ? 'default' : request.serviceTier),
    ...(include.length > 0 ? { include } : {}),
  };
  return withEdits(body, passThrough(body, options));
}

const usualFormat: ParameterFormat = { maxTokensNames: ['max_output_tokens'], maxTokensRequired: false };
const reasoningFormat: ParameterFormat = { ...usualFormat, refused: refusedByReasoningModels };

export function passThrough(body: JsonObject, options: EncodeOptions): BodyEdits {
  const edits = parameterEdits(body, options, options.traits.reasoningModel ? reasoningFormat : usualFormat);
  if (Array.isArray(body.input)) {
    // Reasoning of another provider that answered earlier in the conversation, and its signatures in the ids of calls.
    const own = body.input.filter((item) => !isForeignReasoning(item));
    const plain = plainCallItems(own);
    if (plain !== undefined || own.length < body.input.length) edits.set('input', plain ?? own);
  }
  return edits;
}

/** Values that mean what the model does anyway are no reason to refuse. */
const harmlessValues: Readonly<Record<string, unknown>> = { temperature: 1, top_p: 1, top_logprobs: 0 };

function refusedByReasoningModels(body: JsonObject): readonly string[] {
  return Object.keys(harmlessValues).filter((name) => {
    const value = body[name];
    return value !== undefined && value !== null && value !== harmlessValues[name];
  });
}

function neutralRefused(request: NeutralRequest): string[] {
  const names: string[] = [];
  if (request.stop.length > 0) names.push('stop');
  if (request.seed !== undefined) names.push('seed');
  if (request.topK !== undefined) names.push('top_k');
  if (request.choices !== undefined && request.choices !== 1) names.push('n');
  if (request.presencePenalty) names.push('presence_penalty');
  if (request.frequencyPenalty) names.push('frequency_penalty');
  return names;
}

function includedFor(request: NeutralRequest, { traits }: EncodeOptions): string[] {
  const include: string[] = [];
  // Nothing is kept at the provider: what the model thought travels with the conversation.
  if (traits.reasoningModel) include.push('reasoning.encrypted_content');
  if (request.logprobs !== undefined) include.push('message.output_text.logprobs');
  return include;
}

function encodeTool(tool: NeutralTool): JsonObject {
  if (tool.custom !== undefined) return encodeCustomTool(tool);
  if (tool.vendor !== undefined) {
    if (tool.vendor.dialect === 'openai-responses') return tool.vendor.tool;
    const { type, name, ...search } = tool.vendor.tool;
    if (String(type).startsWith('web_search')) return searchTool(search);
    throw unsupportedParameters([`tools: ${tool.name}`]);
  }
  return {
    type: 'function',
    name: tool.name,
    ...present('description', tool.description),
    parameters: tool.parameters ?? { type: 'object', properties: {} },
    // Left out, this format makes tools strict; the others do not.
    strict: tool.strict ?? false,
  };
}

function searchTool({ search_context_size: size, user_location: place }: JsonObject): JsonObject {
  const approximate = isJsonObject(place) && isJsonObject(place.approximate) ? place.approximate : undefined;
  const location = isJsonObject(place) ? { type: 'approximate', ...(approximate ?? place) } : undefined;
  return { type: 'web_search', ...present('search_context_size', size), ...present('user_location', location) };
}

function encodeToolChoice(choice: ToolChoice | undefined, tools: readonly NeutralTool[]): Json | undefined {
  if (choice === undefined) return undefined;
  if (choice.type !== 'tool') return choice.type;
  const isCustom = tools.some((tool) => tool.name === choice.name && tool.custom !== undefined);
  return { type: isCustom ? 'custom' : 'function', name: choice.name };
}

function encodeFormat(format: ResponseFormat | undefined): JsonObject | undefined {
  if (format === undefined) return undefined;
  if (format.type !== 'json_schema') return { type: format.type };
  const { name, schema, strict, description } = format;
  const told = { ...present('description', description), schema, ...present('strict', strict) };
  return { type: 'json_schema', name, ...told };
}

function encodeReasoningOptions(
  reasoning: ReasoningOptions | undefined,
  { traits }: EncodeOptions,
): JsonObject | undefined {
  if (reasoning === undefined) return undefined;
  const { effort, summary, mode, budgetTokens } = reasoning;
  const isThinking = mode === 'enabled' || mode === 'adaptive';
  if (!traits.reasoningModel && (mode !== undefined || budgetTokens !== undefined)) return undefined;
  if (mode === 'disabled') return undefined;
  const wished = effort ?? (budgetTokens === undefined ? undefined : effortOfBudget(budgetTokens));
  // Who asks for thinking in another format expects to read it.
  const told = summary ?? (isThinking ? 'auto' : undefined);
  if (wished === undefined && told === undefined) return undefined;
  return { ...present('effort', wished), ...present('summary', told) };
}
