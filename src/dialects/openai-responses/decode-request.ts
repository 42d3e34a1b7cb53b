import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { NeutralRequest, NeutralTool, ReasoningOptions, ResponseFormat, ToolChoice } from '../../core/neutral.ts';
import {
  choiceAmong,
  effortIn,
  malformed,
  optionalBoolean,
  optionalNumber,
  optionalString,
  unknownMembers,
} from '../body-checks.ts';
import { unsupportedParameters } from '../parameter-edits.ts';
import { decodeCustomTool } from './custom-tools.ts';
import { decodeItems } from './decode-items.ts';
import { inspectResponses } from './inspect.ts';

/** Fields with a place of their own in the neutral form; all others stay in `extra`. */
const neutralFields: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'stream_options',
  'instructions',
  'input',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'max_output_tokens',
  'temperature',
  'top_p',
  'text',
  'reasoning',
  'user',
  'safety_identifier',
  'top_logprobs',
  'service_tier',
  // What is kept between requests is the gateway's business where the provider does not keep it.
  'store',
  'background',
  'previous_response_id',
  'conversation',
  'metadata',
  'context_management',
]);

export function decodeRequest(body: JsonObject): NeutralRequest {
  const facts = inspectResponses(body);
  // Where the provider keeps nothing, the gateway puts what was kept into the input before it comes to this.
  const kept = ['previous_response_id', 'conversation'].filter((name) => (body[name] ?? null) !== null);
  if (body.background === true) kept.push('background');
  if (kept.length > 0) throw unsupportedParameters(kept);
  const { system, messages } = decodeItems([
    ...asItems(body.instructions, 'developer'),
    ...asItems(body.input, 'user'),
  ]);
  const { tools, webSearch } = decodeTools(body);
  const text = isJsonObject(body.text) ? body.text : {};
  const { include, ...extra } = unknownMembers(body, neutralFields);
  return {
    model: facts.model ?? '',
    stream: facts.stream,
    system,
    messages,
    tools,
    toolChoice: choiceAmong(webSearch === undefined ? tools : null, decodeToolChoice(body), 'tool_choice'),
    parallelToolCalls: optionalBoolean(body, 'parallel_tool_calls'),
    maxOutputTokens: facts.maxOutputTokens,
    temperature: optionalNumber(body, 'temperature'),
    topP: optionalNumber(body, 'top_p'),
    topK: undefined,
    stop: [],
    seed: undefined,
    choices: undefined,
    presencePenalty: undefined,
    frequencyPenalty: undefined,
    responseFormat: decodeFormat(text),
    reasoning: decodeReasoningOptions(body),
    endUser: facts.endUser,
    logprobs: decodeLogprobs(body, include),
    serviceTier: optionalString(body, 'service_tier'),
    includeUsageInStream: true,
    extra: {
      ...extra,
      ...(typeof text.verbosity === 'string' ? { verbosity: text.verbosity } : {}),
      ...(webSearch === undefined ? {} : { web_search_options: webSearch }),
    },
  };
}

/** A string stands for one message. */
export function asItems(value: Json | undefined, role: 'user' | 'developer'): Json[] {
  if (typeof value === 'string') return value === '' ? [] : [{ type: 'message', role, content: value }];
  return Array.isArray(value) ? value : [];
}

/** The provider's own search becomes the wish for one that chat completions know; other hosted tools stay as they are. */
function decodeTools(body: JsonObject): { tools: NeutralTool[]; webSearch: JsonObject | undefined } {
  const tools: NeutralTool[] = [];
  let webSearch: JsonObject | undefined;
  for (const tool of allowedTools(body)) {
    if (tool.type === 'function') tools.push(functionTool(tool));
    else if (tool.type === 'custom') tools.push(decodeCustomTool(tool));
    else if (String(tool.type).startsWith('web_search')) webSearch = searchOptions(tool);
    else {
      const name = typeof tool.name === 'string' ? tool.name : String(tool.type);
      tools.push({ name, vendor: { dialect: 'openai-responses', tool } });
    }
  }
  return { tools, webSearch };
}

/** The caller's tools, without those that its `tool_choice` leaves out. */
function allowedTools(body: JsonObject): JsonObject[] {
  const tools = (Array.isArray(body.tools) ? body.tools : []).filter(isJsonObject);
  const choice = body.tool_choice;
  if (!isJsonObject(choice) || choice.type !== 'allowed_tools' || !Array.isArray(choice.tools)) return tools;
  const allowed = choice.tools.filter(isJsonObject);
  return tools.filter((tool) => allowed.some(({ type, name }) => type === tool.type && name === tool.name));
}

function functionTool(tool: JsonObject): NeutralTool {
  return {
    name: String(tool.name),
    ...(typeof tool.description === 'string' ? { description: tool.description } : {}),
    ...(isJsonObject(tool.parameters) ? { parameters: tool.parameters } : {}),
    ...(typeof tool.strict === 'boolean' ? { strict: tool.strict } : {}),
  };
}

function searchOptions(tool: JsonObject): JsonObject {
  const { search_context_size: size, user_location: place } = tool;
  return {
    ...(typeof size === 'string' ? { search_context_size: size } : {}),
    ...(isJsonObject(place) ? { user_location: nestedLocation(place) } : {}),
  };
}

/** Chat completions have the facts of a place one level deeper. */
function nestedLocation({ type, ...approximate }: JsonObject): JsonObject {
  return { type: type ?? 'approximate', approximate };
}

function decodeToolChoice(body: JsonObject): ToolChoice | undefined {
  let choice = body.tool_choice;
  if (isJsonObject(choice) && choice.type === 'allowed_tools') choice = choice.mode ?? 'auto';
  if (choice === undefined || choice === null) return undefined;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice };
  if (!isJsonObject(choice)) {
    throw malformed('tool_choice', 'expected "auto", "none", "required" or {"type":"function","name":…}');
  }
  if (choice.type !== 'function' && choice.type !== 'custom') throw unsupportedParameters(['tool_choice']);
  if (typeof choice.name !== 'string') throw malformed('tool_choice.name', 'expected a string');
  return { type: 'tool', name: choice.name };
}

function decodeFormat(text: JsonObject): ResponseFormat | undefined {
  const { format } = text;
  if (!isJsonObject(format)) return undefined;
  if (format.type === 'text' || format.type === 'json_object') return { type: format.type };
  if (format.type !== 'json_schema') {
    throw malformed('text.format.type', 'expected "text", "json_object" or "json_schema"');
  }
  const { name, schema, strict, description } = format;
  return {
    type: 'json_schema',
    name: typeof name === 'string' ? name : 'response',
    schema: isJsonObject(schema) ? schema : {},
    ...(typeof strict === 'boolean' ? { strict } : {}),
    ...(typeof description === 'string' ? { description } : {}),
  };
}

function decodeReasoningOptions(body: JsonObject): ReasoningOptions | undefined {
  if (!isJsonObject(body.reasoning)) return undefined;
  const effort = effortIn(body.reasoning, 'effort', 'reasoning.effort');
  const summary = body.reasoning.summary ?? body.reasoning.generate_summary;
  const options: ReasoningOptions = {
    ...(typeof effort === 'string' ? { effort } : {}),
    ...(typeof summary === 'string' ? { summary } : {}),
  };
  return Object.keys(options).length === 0 ? undefined : options;
}

const logprobsIncluded = 'message.output_text.logprobs';

function decodeLogprobs(body: JsonObject, include: Json | undefined): NeutralRequest['logprobs'] {
  const topLogprobs = optionalNumber(body, 'top_logprobs');
  const isAsked = Array.isArray(include) && include.includes(logprobsIncluded);
  return isAsked || topLogprobs ? { topLogprobs } : undefined;
}
