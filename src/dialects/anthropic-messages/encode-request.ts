import type { BodyEdits, EncodeOptions, ModelTraits } from '../../core/dialect.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { NeutralMessage, NeutralRequest, NeutralTool } from '../../core/neutral.ts';
import { plainBlockMessages } from '../foreign-history.ts';
import { crossing } from '../foreign-parameters.ts';
import {
  type ParameterFormat,
  parameterEdits,
  refuseParameters,
  unsupportedParameters,
  withEdits,
} from '../parameter-edits.ts';
import { objectSchema, saysSomething } from '../strict-turns.ts';
import { encodeMessages, markOf } from './encode-content.ts';
import { structuredOutput } from './structured-output.ts';
import { encodeThinking } from './thinking.ts';

const format: ParameterFormat = { maxTokensNames: ['max_tokens'], maxTokensRequired: true };

/** Everything that the provider takes; it refuses a request with anything else. */
const known: ReadonlySet<string> = new Set(
  `model max_tokens messages system stream temperature top_p top_k stop_sequences tools tool_choice thinking output_config
   output_format service_tier metadata cache_control container context_management compaction diagnostics inference_geo
   mcp_servers speed thread fallbacks fallback_credit_token billing_policy user_profile_id workspace_id betas anthropic_beta
   anthropic_version web_search_options`.split(/\s+/),
);
const target = { own: ['anthropic'], knows: (name: string) => known.has(name) } as const;

export function encodeRequest(request: NeutralRequest, options: EncodeOptions): JsonObject {
  const { passed, refused } = crossing(request.extra, target, options);
  const { web_search_options: webSearch, ...extra } = passed;
  const dropped = new Set(options.additionalDropParams);
  refuseParameters([...refused, ...neutralRefused(request)], options);

  const capByDefault = options.defaults.max_tokens;
  const cap = Math.min(
    request.maxOutputTokens ?? (typeof capByDefault === 'number' ? capByDefault : options.maxOutputTokensDefault),
    options.maxOutputTokensClamp ?? Number.POSITIVE_INFINITY,
  );
  const thinking = dropped.has('reasoning_effort') ? {} : encodeThinking(request.reasoning, cap, options.traits);
  const tools = request.tools.map((tool) => encodeTool(tool, options.traits));
  if (isJsonObject(webSearch)) tools.push(webSearchTool(webSearch));
  const output = structuredOutput(
    dropped.has('response_format') ? undefined : request.responseFormat,
    { tools, toolChoice: encodeToolChoice(request, tools.length > 0) },
    { isThinking: thinking.thinking !== undefined, isNative: options.traits.supportsJsonSchema },
  );
  const outputConfig = { ...thinking.outputConfig, ...output.outputConfig };
  const body: JsonObject = {
    ...extra,
    model: request.model,
    max_tokens: cap,
    ...(request.system.length > 0 ? present('system', encodeSystem(request)) : {}),
    messages: encodeMessages(repaired(request.messages, options, thinking.thinking !== undefined), options),
    ...(request.stream ? { stream: true } : {}),
    ...(output.tools.length > 0 ? { tools: [...output.tools] } : {}),
    ...present('tool_choice', output.toolChoice),
    ...present('temperature', request.temperature),
    ...present('top_p', request.topP),
    ...present('top_k', request.topK),
    ...stopSequences(request, options),
    ...present('thinking', thinking.thinking),
    ...(Object.keys(outputConfig).length > 0 ? { output_config: outputConfig } : {}),
    ...endUserOf(request.endUser),
    ...present('service_tier', encodeServiceTier(request.serviceTier)),
  };
  return withEdits(body, passThrough(body, options));
}

export function passThrough(body: JsonObject, options: EncodeOptions): BodyEdits {
  const edits = parameterEdits(body, options, format);
  const cap = edits.get('max_tokens');
  const thinking = edits.get('thinking') ?? body.thinking;
  if (typeof cap === 'number' && isJsonObject(thinking) && Number(thinking.budget_tokens) >= cap) {
    // A cap lowered by the gateway must stay above the thinking budget; 1,024 is the least budget there is.
    if (cap > 1024) edits.set('thinking', { ...thinking, budget_tokens: cap - 1 });
    else edits.set('thinking', undefined);
  }
  const messages = plainBlockMessages(body.messages);
  if (messages !== undefined) edits.set('messages', messages);
  return edits;
}

function present(name: string, value: Json | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value };
}

/** What the neutral form can say and this format cannot; values that ask for nothing are left out. */
function neutralRefused(request: NeutralRequest): string[] {
  const names: string[] = [];
  if (request.seed !== undefined) names.push('seed');
  if (request.choices !== undefined && request.choices !== 1) names.push('n');
  if (request.presencePenalty) names.push('presence_penalty');
  if (request.frequencyPenalty) names.push('frequency_penalty');
  if (request.logprobs !== undefined) names.push('logprobs');
  return names;
}

function encodeSystem(request: NeutralRequest): Json | undefined {
  const blocks = request.system.filter((block) => block.text !== '');
  if (blocks.length === 0) return undefined;
  return blocks.map((block) => ({ type: 'text', text: block.text, ...markOf(block) }));
}

/** Repairs of invalid histories, where the operator allows them. */
function repaired(messages: readonly NeutralMessage[], options: EncodeOptions, isThinking: boolean): NeutralMessage[] {
  if (!options.modifyParams) return [...messages];
  const history = messages.filter(({ content }) => content.some(saysSomething));
  if (history[0]?.role !== 'user') history.unshift({ role: 'user', content: [{ type: 'text', text: '.' }] });
  if (isThinking) return history;
  // Thinking that was signed for a conversation with thinking is refused in one without.
  return history.map((message) =>
    message.role === 'user'
      ? message
      : { ...message, content: message.content.filter((block) => block.type !== 'reasoning') },
  );
}

function encodeTool(tool: NeutralTool, traits: ModelTraits): JsonObject {
  if (tool.vendor !== undefined) {
    if (tool.vendor.dialect === 'anthropic-messages') return tool.vendor.tool;
    throw unsupportedParameters([`tools: ${tool.name}`]);
  }
  return {
    name: tool.name,
    ...present('description', tool.description),
    input_schema: objectSchema(tool),
    ...(tool.strict === undefined || !traits.supportsJsonSchema ? {} : { strict: tool.strict }),
    ...markOf(tool),
  };
}

/** OpenAI's hosted search, as this provider's. The number of searches follows the context size asked for. */
function webSearchTool(asked: JsonObject): JsonObject {
  const uses: Record<string, number> = { low: 1, medium: 5, high: 10 };
  const size = typeof asked.search_context_size === 'string' ? asked.search_context_size : 'medium';
  const place = isJsonObject(asked.user_location) ? asked.user_location : undefined;
  const location = isJsonObject(place?.approximate) ? { type: 'approximate', ...place.approximate } : undefined;
  return {
    type: 'web_search_20250305',
    name: 'web_search',
    max_uses: uses[size] ?? 5,
    ...present('user_location', location),
  };
}

function encodeToolChoice(request: NeutralRequest, hasTools: boolean): JsonObject | undefined {
  const { toolChoice, parallelToolCalls } = request;
  if (!hasTools) return undefined;
  const sequential = parallelToolCalls === undefined ? {} : { disable_parallel_tool_use: !parallelToolCalls };
  switch (toolChoice?.type) {
    case undefined:
      return parallelToolCalls === false ? { type: 'auto', ...sequential } : undefined;
    case 'none':
      return { type: 'none' };
    case 'auto':
      return { type: 'auto', ...sequential };
    case 'required':
      return { type: 'any', ...sequential };
    default:
      return { type: 'tool', name: toolChoice!.name, ...sequential };
  }
}

function stopSequences(request: NeutralRequest, options: EncodeOptions): JsonObject {
  const stop = options.dropParams ? request.stop.filter((text) => text.trim() !== '') : request.stop;
  return stop.length > 0 ? { stop_sequences: stop } : {};
}

/** The provider asks for an opaque id: addresses and phone numbers stay here. */
function endUserOf(endUser: string | undefined): JsonObject {
  if (endUser === undefined) return {};
  const isMail = /^[^@\s]{1,64}@[^@\s]{1,255}$/.test(endUser);
  const isPhone = /^\+?[\d\s().-]{7,20}$/.test(endUser);
  return isMail || isPhone ? {} : { metadata: { user_id: endUser } };
}

function encodeServiceTier(tier: string | undefined): string | undefined {
  if (tier === 'auto' || tier === 'standard_only') return tier;
  return tier === 'default' ? 'standard_only' : undefined;
}
