import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { NeutralRequest, NeutralTool, ReasoningOptions, ResponseFormat, ToolChoice } from '../../core/neutral.ts';
import {
  choiceAmong,
  effortIn,
  malformed,
  optionalBoolean,
  optionalNumber,
  optionalString,
  optionalStrings,
  unknownMembers,
} from '../body-checks.ts';
import { unsupportedParameters } from '../parameter-edits.ts';
import { cacheMarkOf, decodeMessages } from './decode-messages.ts';
import { inspectChat } from './inspect.ts';

/** Fields with a place of their own in the neutral form; all others stay in `extra`. */
const neutralFields: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'stream_options',
  'messages',
  'tools',
  'functions',
  'tool_choice',
  'function_call',
  'parallel_tool_calls',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop',
  'seed',
  'n',
  'presence_penalty',
  'frequency_penalty',
  'response_format',
  'reasoning_effort',
  'thinking',
  'user',
  'logprobs',
  'top_logprobs',
  'service_tier',
]);

export function decodeRequest(body: JsonObject): NeutralRequest {
  const facts = inspectChat(body);
  const { system, messages } = decodeMessages(body.messages as Json[]);
  const tools = decodeTools(body);
  return {
    model: facts.model ?? '',
    stream: facts.stream,
    system,
    messages,
    tools,
    toolChoice: choiceAmong(tools, decodeToolChoice(body), choiceField(body)),
    parallelToolCalls: optionalBoolean(body, 'parallel_tool_calls'),
    maxOutputTokens: facts.maxOutputTokens,
    temperature: optionalNumber(body, 'temperature'),
    topP: optionalNumber(body, 'top_p'),
    topK: optionalNumber(body, 'top_k'),
    stop: optionalStrings(body, 'stop'),
    seed: optionalNumber(body, 'seed'),
    choices: optionalNumber(body, 'n'),
    presencePenalty: optionalNumber(body, 'presence_penalty'),
    frequencyPenalty: optionalNumber(body, 'frequency_penalty'),
    responseFormat: decodeResponseFormat(body),
    reasoning: decodeReasoningOptions(body),
    endUser: facts.endUser,
    logprobs: body.logprobs === true ? { topLogprobs: optionalNumber(body, 'top_logprobs') } : undefined,
    serviceTier: optionalString(body, 'service_tier'),
    includeUsageInStream: facts.usageInStream,
    extra: unknownMembers(body, neutralFields),
  };
}

/** Tools that Claude's provider runs itself carry a date in their type, whatever format they come in. */
const hostedTool = /^[a-z_]+_\d{8}$/;

function decodeTools(body: JsonObject): NeutralTool[] {
  const tools: NeutralTool[] = [];
  for (const tool of Array.isArray(body.tools) ? body.tools : []) {
    if (!isJsonObject(tool)) continue;
    if (tool.type === 'function' && isJsonObject(tool.function)) tools.push(functionTool(tool.function, tool));
    else {
      const dialect = hostedTool.test(String(tool.type)) ? 'anthropic-messages' : 'openai-chat';
      const name = typeof tool.name === 'string' ? tool.name : String(tool.type);
      tools.push({ name, vendor: { dialect, tool } });
    }
  }
  for (const definition of Array.isArray(body.functions) ? body.functions : []) {
    if (isJsonObject(definition)) tools.push(functionTool(definition, {}));
  }
  return tools;
}

function functionTool(definition: JsonObject, tool: JsonObject): NeutralTool {
  return {
    name: String(definition.name),
    ...(typeof definition.description === 'string' ? { description: definition.description } : {}),
    ...(isJsonObject(definition.parameters) ? { parameters: definition.parameters } : {}),
    ...(typeof definition.strict === 'boolean' ? { strict: definition.strict } : {}),
    ...cacheMarkOf(isJsonObject(definition.cache_control) ? definition : tool),
  };
}

function choiceField({ tool_choice: choice }: JsonObject): string {
  return choice === undefined || choice === null ? 'function_call' : 'tool_choice';
}

function decodeToolChoice(body: JsonObject): ToolChoice | undefined {
  const name = choiceField(body);
  const choice = body.tool_choice ?? body.function_call;
  if (choice === undefined || choice === null) return undefined;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice };
  // Some servers write `any` for `required`.
  if (choice === 'any') return { type: 'required' };
  if (!isJsonObject(choice)) {
    throw malformed(name, 'expected "auto", "none", "required" or {"type":"function","function":{"name":…}}');
  }
  const named = isJsonObject(choice.function) ? choice.function : choice;
  if (choice.type !== undefined && choice.type !== 'function') throw unsupportedParameters([name]);
  if (typeof named.name !== 'string') throw malformed(`${name}.function.name`, 'expected a string');
  return { type: 'tool', name: named.name };
}

function decodeResponseFormat(body: JsonObject): ResponseFormat | undefined {
  const format = body.response_format;
  if (!isJsonObject(format)) return undefined;
  if (format.type === 'text' || format.type === 'json_object') return { type: format.type };
  if (format.type !== 'json_schema' || !isJsonObject(format.json_schema)) {
    throw malformed('response_format.type', 'expected "text", "json_object" or "json_schema"');
  }
  const { name, schema, strict, description } = format.json_schema;
  return {
    type: 'json_schema',
    name: typeof name === 'string' ? name : 'response',
    schema: isJsonObject(schema) ? schema : {},
    ...(typeof strict === 'boolean' ? { strict } : {}),
    ...(typeof description === 'string' ? { description } : {}),
  };
}

function decodeReasoningOptions(body: JsonObject): ReasoningOptions | undefined {
  const effort = effortIn(body, 'reasoning_effort');
  const { thinking } = body;
  if (!isJsonObject(thinking)) return effort === undefined ? undefined : { effort };
  const { type, budget_tokens: budget } = thinking;
  return {
    ...(effort === undefined ? {} : { effort }),
    ...(type === 'enabled' || type === 'disabled' || type === 'adaptive' ? { mode: type } : {}),
    ...(typeof budget === 'number' ? { budgetTokens: budget } : {}),
  };
}
