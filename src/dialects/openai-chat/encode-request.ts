import type { BodyEdits, EncodeOptions, ModelTraits } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { NeutralRequest, NeutralTool, ReasoningOptions, ResponseFormat, ToolChoice } from '../../core/neutral.ts';
import { plainChatMessages } from '../foreign-history.ts';
import { crossing } from '../foreign-parameters.ts';
import {
  type ParameterFormat,
  parameterEdits,
  refuseParameters,
  unsupportedParameters,
  withEdits,
} from '../parameter-edits.ts';
import { encodeMessages, markOf } from './encode-messages.ts';
import { shapeInWords } from './shape-in-words.ts';

export function encodeRequest(request: NeutralRequest, options: EncodeOptions): JsonObject {
  const marks = options.traits.anthropicExtensions === true;
  const { passed, refused } = crossing(request.extra, { own: ['openai', 'chat'] }, options);
  refuseParameters(refused, options);
  const body: JsonObject = {
    ...passed,
    model: request.model,
    messages: encodeMessages(request, marks),
    ...(request.stream ? { stream: true } : {}),
    ...(request.includeUsageInStream ? { stream_options: { include_usage: true } } : {}),
    ...(request.tools.length > 0 ? { tools: request.tools.map((tool) => encodeTool(tool, marks)) } : {}),
    ...present('tool_choice', encodeToolChoice(request.toolChoice)),
    ...(request.tools.length > 0 ? present('parallel_tool_calls', request.parallelToolCalls) : {}),
    ...present('max_tokens', request.maxOutputTokens),
    ...present('temperature', request.temperature),
    ...present('top_p', request.topP),
    ...present('top_k', request.topK),
    ...(request.stop.length > 0 ? { stop: request.stop } : {}),
    ...present('seed', request.seed),
    ...present('n', request.choices),
    ...present('presence_penalty', request.presencePenalty),
    ...present('frequency_penalty', request.frequencyPenalty),
    ...present('response_format', encodeResponseFormat(request.responseFormat)),
    ...encodeReasoningOptions(request.reasoning, options.traits),
    ...present('user', request.endUser),
    ...(request.logprobs === undefined
      ? {}
      : { logprobs: true, ...present('top_logprobs', request.logprobs.topLogprobs) }),
    ...present('service_tier', encodeServiceTier(request.serviceTier)),
  };
  return withEdits(body, passThrough(body, options));
}

/** Edits to a body in this format: the deployment's rules, and usage asked for in streams. */
export function passThrough(body: JsonObject, options: EncodeOptions): BodyEdits {
  const edits = parameterEdits(body, options, formatFor(options.traits));
  if (body.stream === true && options.usageInStream === 'stream_options' && !edits.has('stream_options')) {
    const asked = isJsonObject(body.stream_options) ? body.stream_options : {};
    if (asked.include_usage !== true) edits.set('stream_options', { ...asked, include_usage: true });
  }
  const messages = plainChatMessages(body.messages);
  if (messages !== undefined) edits.set('messages', messages);
  const shaped = shapeInWords(body, messages ?? body.messages, options);
  if (shaped !== undefined) {
    edits.set('response_format', shaped.responseFormat);
    edits.set('messages', shaped.messages);
  }
  return edits;
}

const maxTokensNames = ['max_completion_tokens', 'max_tokens'];
const usualFormat: ParameterFormat = { maxTokensNames, maxTokensRequired: false };
const reasoningFormat: ParameterFormat = {
  maxTokensNames,
  maxTokensRequired: false,
  maxTokensRename: 'max_completion_tokens',
  refused: refusedByReasoningModels,
};

function formatFor(traits: ModelTraits): ParameterFormat {
  return traits.reasoningModel ? reasoningFormat : usualFormat;
}

/** Values that mean what the model does anyway are no reason to refuse. */
const harmlessValues: Readonly<Record<string, unknown>> = {
  temperature: 1,
  top_p: 1,
  presence_penalty: 0,
  frequency_penalty: 0,
  logprobs: false,
};

function refusedByReasoningModels(body: JsonObject): readonly string[] {
  const names = [...Object.keys(harmlessValues), 'top_logprobs', 'logit_bias'];
  return names.filter((name) => {
    const value = body[name];
    return value !== undefined && value !== null && value !== harmlessValues[name];
  });
}

export function present(name: string, value: JsonObject[string]): JsonObject {
  return value === undefined ? {} : { [name]: value };
}

function encodeTool(tool: NeutralTool, marks: boolean): JsonObject {
  if (tool.vendor !== undefined) {
    if (tool.vendor.dialect === 'openai-chat' || (marks && tool.vendor.dialect === 'anthropic-messages'))
      return tool.vendor.tool;
    throw unsupportedParameters([`tools: ${tool.name}`]);
  }
  return {
    type: 'function',
    function: {
      name: tool.name,
      ...present('description', tool.description),
      ...present('parameters', tool.parameters),
      ...present('strict', tool.strict),
    },
    ...markOf(tool, marks),
  };
}

function encodeToolChoice(choice: ToolChoice | undefined): JsonObject[string] {
  if (choice === undefined) return undefined;
  return choice.type === 'tool' ? { type: 'function', function: { name: choice.name } } : choice.type;
}

function encodeResponseFormat(format: ResponseFormat | undefined): JsonObject | undefined {
  if (format === undefined) return undefined;
  if (format.type !== 'json_schema') return { type: format.type };
  const { name, schema, strict, description } = format;
  return {
    type: 'json_schema',
    json_schema: { name, ...present('description', description), schema, ...present('strict', strict) },
  };
}

/** A wish for an effort is passed on; a thinking budget becomes an effort where the model is known to reason. */
function encodeReasoningOptions(reasoning: ReasoningOptions | undefined, traits: ModelTraits): JsonObject {
  if (reasoning === undefined) return {};
  const { effort, mode, budgetTokens } = reasoning;
  if (traits.anthropicExtensions === true && mode !== undefined) {
    return {
      thinking: { type: mode, ...present('budget_tokens', budgetTokens) },
      ...present('reasoning_effort', effort),
    };
  }
  if (mode === undefined && budgetTokens === undefined) return present('reasoning_effort', effort);
  if (!traits.reasoningModel || mode === 'disabled') return {};
  return present('reasoning_effort', effort ?? (budgetTokens === undefined ? undefined : effortOfBudget(budgetTokens)));
}

export function effortOfBudget(tokens: number): string {
  if (tokens >= 10_000) return 'high';
  if (tokens >= 5_000) return 'medium';
  return tokens >= 2_000 ? 'low' : 'minimal';
}

function encodeServiceTier(tier: string | undefined): string | undefined {
  return tier === 'standard_only' ? 'default' : tier;
}
