import type { BodyEdits, EncodeOptions } from '../../core/dialect.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { NeutralRequest, NeutralTool } from '../../core/neutral.ts';
import { jsonToolName } from '../anthropic-messages/decode-content.ts';
import { encodeThinking } from '../anthropic-messages/thinking.ts';
import { crossing } from '../foreign-parameters.ts';
import { type NestedFormat, nestedEdits } from '../nested-parameters.ts';
import { effortOfBudget } from '../openai-chat/encode-request.ts';
import { refuseParameters, unsupportedParameters, withEdits } from '../parameter-edits.ts';
import { objectSchema } from '../strict-turns.ts';
import { encodeMessages, encodeSystem, markAfter } from './encode-content.ts';

/** What stands beside the messages; every other field goes to the model itself. */
const topFields: ReadonlySet<string> = new Set([
  'guardrailConfig',
  'promptVariables',
  'additionalModelResponseFieldPaths',
  'requestMetadata',
  'performanceConfig',
]);

export function encodeRequest(request: NeutralRequest, options: EncodeOptions): JsonObject {
  const { passed, refused } = crossing(request.extra, { own: ['anthropic', 'chat', 'bedrock'] }, options);
  const { web_search_options: webSearch, ...extra } = passed;
  if (webSearch !== undefined && webSearch !== null) refused.push('web_search_options');
  const dropped = new Set(options.additionalDropParams);
  const isClaude = /claude|anthropic/.test(options.model);
  const isNova = /\bnova-/.test(options.model);
  refuseParameters([...refused, ...neutralRefused(request, isClaude, isNova)], options);

  const top = Object.entries(extra).filter(([name]) => topFields.has(name));
  const more: JsonObject = {
    ...Object.fromEntries(Object.entries(extra).filter(([name]) => !topFields.has(name))),
    ...(dropped.has('reasoning_effort') ? {} : reasoningFields(request, options, isClaude)),
    ...(request.topK === undefined
      ? {}
      : isClaude
        ? { top_k: request.topK }
        : { inferenceConfig: { topK: request.topK } }),
    ...(request.parallelToolCalls === false && isClaude && request.tools.length > 0
      ? { tool_choice: { type: 'auto', disable_parallel_tool_use: true } }
      : {}),
  };
  const config = {
    ...present('maxTokens', request.maxOutputTokens),
    ...present('temperature', request.temperature),
    ...present('topP', request.topP),
    ...(request.stop.length > 0 ? { stopSequences: request.stop } : {}),
  };
  const output = dropped.has('response_format') ? {} : structuredOutput(request, options);
  const system = encodeSystem(request.system);
  const tier = request.serviceTier;
  const body: JsonObject = {
    ...Object.fromEntries(top),
    messages: encodeMessages(request.messages, options),
    ...(system.length > 0 ? { system } : {}),
    ...(Object.keys(config).length > 0 ? { inferenceConfig: config } : {}),
    ...toolConfig(request, options, output.tool),
    ...(output.format === undefined ? {} : { outputConfig: { textFormat: output.format } }),
    ...(Object.keys(more).length > 0 ? { additionalModelRequestFields: more } : {}),
    ...(tier === 'flex' || tier === 'priority' || tier === 'default' ? { serviceTier: { type: tier } } : {}),
  };
  return withEdits(body, passThrough(body, options));
}

const ownNames: Readonly<Record<string, string>> = {
  max_tokens: 'maxTokens',
  max_completion_tokens: 'maxTokens',
  top_p: 'topP',
  stop: 'stopSequences',
};

const format: NestedFormat = {
  member: 'inferenceConfig',
  names: new Set(['maxTokens', 'temperature', 'topP', 'stopSequences']),
  maxTokens: 'maxTokens',
  inAddress: new Set(['modelId', 'model', 'stream']),
  ownName: (name) => (Object.hasOwn(ownNames, name) ? ownNames[name]! : name),
};

export function passThrough(body: JsonObject, options: EncodeOptions): BodyEdits {
  const edits = nestedEdits(body, options, format);
  // What the format itself has no name for is meant for the model.
  const given = body.additionalModelRequestFields;
  const more: JsonObject = { ...(isJsonObject(given) ? given : {}) };
  let isChanged = false;
  for (const [name, value] of edits) {
    if (value === undefined || ownFields.has(name)) continue;
    edits.delete(name);
    if (more[name] !== undefined && options.extraBody[name] === undefined) continue;
    more[name] = value as Json;
    isChanged = true;
  }
  if (isChanged) edits.set('additionalModelRequestFields', more);
  return edits;
}

const ownFields: ReadonlySet<string> = new Set([
  ...topFields,
  ...['messages', 'system', 'inferenceConfig', 'toolConfig', 'outputConfig', 'serviceTier'],
  'additionalModelRequestFields',
]);

function present(name: string, value: Json | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value };
}

/** What the neutral form can say and this format cannot; values that ask for nothing are left out. */
function neutralRefused(request: NeutralRequest, isClaude: boolean, isNova: boolean): string[] {
  const names: string[] = [];
  if (request.seed !== undefined) names.push('seed');
  if (request.choices !== undefined && request.choices !== 1) names.push('n');
  if (request.presencePenalty) names.push('presence_penalty');
  if (request.frequencyPenalty) names.push('frequency_penalty');
  if (request.logprobs !== undefined) names.push('logprobs');
  if (request.topK !== undefined && !isClaude && !isNova) names.push('top_k');
  if (request.toolChoice?.type === 'none' && request.tools.length > 0) names.push('tool_choice');
  if (request.parallelToolCalls === false && !isClaude && request.tools.length > 0) names.push('parallel_tool_calls');
  return names;
}

function reasoningFields(request: NeutralRequest, options: EncodeOptions, isClaude: boolean): JsonObject {
  const { reasoning } = request;
  if (reasoning === undefined) return {};
  if (!isClaude) {
    const { effort, mode, budgetTokens } = reasoning;
    const wished = budgetTokens === undefined || mode === 'disabled' ? undefined : effortOfBudget(budgetTokens);
    return present('reasoning_effort', effort ?? wished);
  }
  const cap = request.maxOutputTokens ?? options.maxOutputTokensDefault;
  const { thinking, outputConfig } = encodeThinking(reasoning, cap, options.traits);
  return { ...present('thinking', thinking), ...present('output_config', outputConfig) };
}

/** A wish for JSON: natively, or through a tool whose input is the answer (the way back turns its call into text). */
function structuredOutput(
  { responseFormat }: NeutralRequest,
  options: EncodeOptions,
): { readonly format?: JsonObject; readonly tool?: NeutralTool } {
  if (responseFormat === undefined || responseFormat.type === 'text') return {};
  if (responseFormat.type !== 'json_schema') {
    return { tool: answerTool({ type: 'object', additionalProperties: true, properties: {} }, undefined) };
  }
  const { schema, name, description } = responseFormat;
  if (!options.traits.supportsJsonSchema) return { tool: answerTool({ type: 'object', ...schema }, description) };
  const jsonSchema = { schema: JSON.stringify(schema), name, ...present('description', description) };
  return { format: { type: 'json_schema', structure: { jsonSchema } } };
}

function answerTool(parameters: JsonObject, description: string | undefined): NeutralTool {
  return {
    name: jsonToolName,
    description: description ?? 'Give the whole answer as the input of this tool.',
    parameters,
  };
}

function toolConfig(request: NeutralRequest, options: EncodeOptions, answer: NeutralTool | undefined): JsonObject {
  const tools = [...request.tools, ...(answer === undefined ? [] : [answer])];
  // A history with calls is refused where no tool is declared.
  if (tools.length === 0 && options.modifyParams && hasCalls(request)) tools.push({ name: 'dummy_tool' });
  if (tools.length === 0) return {};
  const asked = request.toolChoice?.type === 'none' ? undefined : request.toolChoice;
  const forced = request.tools.length === 0 ? { tool: { name: jsonToolName } } : { any: {} };
  const toolChoice =
    answer !== undefined && (asked === undefined || asked.type === 'auto')
      ? forced
      : asked === undefined
        ? undefined
        : asked.type === 'tool'
          ? { tool: { name: asked.name } }
          : { [asked.type === 'required' ? 'any' : 'auto']: {} };
  return { toolConfig: { tools: tools.flatMap(encodeTool), ...present('toolChoice', toolChoice) } };
}

function hasCalls({ messages }: NeutralRequest): boolean {
  return messages.some(({ content }) => content.some(({ type }) => type === 'tool_call' || type === 'tool_result'));
}

function encodeTool(tool: NeutralTool): JsonObject[] {
  if (tool.vendor !== undefined) {
    if (tool.vendor.dialect === 'bedrock-converse') return [tool.vendor.tool];
    throw unsupportedParameters([`tools: ${tool.name}`]);
  }
  const spec = {
    name: tool.name,
    ...present('description', tool.description),
    inputSchema: { json: objectSchema(tool) },
    ...present('strict', tool.strict),
  };
  return [{ toolSpec: spec }, ...markAfter(tool.cacheMark)];
}
