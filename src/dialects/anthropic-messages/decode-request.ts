import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type {
  NeutralMessage,
  NeutralRequest,
  NeutralTool,
  ReasoningOptions,
  ResponseFormat,
  TextBlock,
  ToolChoice,
} from '../../core/neutral.ts';
import {
  choiceAmong,
  malformed,
  optionalNumber,
  optionalString,
  optionalStrings,
  unknownMembers,
} from '../body-checks.ts';
import { cacheMarkOf, decodeContent, decodeTextBlock } from './decode-content.ts';
import { inspectMessages } from './inspect.ts';

/** Fields with a place of their own in the neutral form; all others stay in `extra`. */
const neutralFields: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'system',
  'messages',
  'tools',
  'tool_choice',
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'thinking',
  'output_format',
  'output_config',
  'metadata',
  'service_tier',
]);

export function decodeRequest(body: JsonObject): NeutralRequest {
  const facts = inspectMessages(body);
  const { system, messages } = decodeMessages(body);
  const choice = isJsonObject(body.tool_choice) ? body.tool_choice : {};
  const parallel = choice.disable_parallel_tool_use;
  const tools = (Array.isArray(body.tools) ? body.tools : []).filter(isJsonObject).map(decodeTool);
  return {
    model: facts.model ?? '',
    stream: facts.stream,
    system,
    messages,
    tools,
    toolChoice: choiceAmong(tools, decodeToolChoice(choice), 'tool_choice'),
    parallelToolCalls: typeof parallel === 'boolean' ? !parallel : undefined,
    maxOutputTokens: facts.maxOutputTokens,
    temperature: optionalNumber(body, 'temperature'),
    topP: optionalNumber(body, 'top_p'),
    topK: optionalNumber(body, 'top_k'),
    stop: optionalStrings(body, 'stop_sequences'),
    seed: undefined,
    choices: undefined,
    presencePenalty: undefined,
    frequencyPenalty: undefined,
    responseFormat: decodeFormat(body),
    reasoning: decodeThinking(body),
    endUser: facts.endUser,
    logprobs: undefined,
    serviceTier: optionalString(body, 'service_tier'),
    includeUsageInStream: true,
    extra: unknownMembers(body, neutralFields),
  };
}

/** System text may also stand among the messages, as some clients write it. */
function decodeMessages(body: JsonObject): { system: TextBlock[]; messages: NeutralMessage[] } {
  const system = systemBlocks(body.system);
  const messages: NeutralMessage[] = [];
  for (const message of body.messages as Json[]) {
    if (!isJsonObject(message)) continue;
    if (message.role === 'system') system.push(...systemBlocks(message.content));
    else {
      const role = message.role === 'assistant' ? 'assistant' : 'user';
      messages.push({ role, content: decodeContent(message.content) });
    }
  }
  return { system, messages };
}

function systemBlocks(system: Json | undefined): TextBlock[] {
  if (typeof system === 'string') return system === '' ? [] : [{ type: 'text', text: system }];
  return Array.isArray(system) ? system.filter(isJsonObject).map(decodeTextBlock) : [];
}

function decodeTool(tool: JsonObject): NeutralTool {
  const isOwn = tool.type !== undefined && tool.type !== null && tool.type !== 'custom';
  if (isOwn) {
    const name = typeof tool.name === 'string' ? tool.name : String(tool.type);
    return { name, vendor: { dialect: 'anthropic-messages', tool } };
  }
  return {
    name: String(tool.name),
    ...(typeof tool.description === 'string' ? { description: tool.description } : {}),
    ...(isJsonObject(tool.input_schema) ? { parameters: tool.input_schema } : {}),
    ...(typeof tool.strict === 'boolean' ? { strict: tool.strict } : {}),
    ...cacheMarkOf(tool),
  };
}

function decodeToolChoice(choice: JsonObject): ToolChoice | undefined {
  switch (choice.type) {
    case undefined:
      return undefined;
    case 'auto':
    case 'none':
      return { type: choice.type };
    case 'any':
      return { type: 'required' };
    case 'tool':
      if (typeof choice.name !== 'string') throw malformed('tool_choice.name', 'expected a string');
      return { type: 'tool', name: choice.name };
    default:
      throw malformed('tool_choice.type', 'expected "auto", "any", "tool" or "none"');
  }
}

function decodeFormat(body: JsonObject): ResponseFormat | undefined {
  const config = isJsonObject(body.output_config) ? body.output_config : {};
  const format = config.format ?? body.output_format;
  if (!isJsonObject(format) || format.type !== 'json_schema') return undefined;
  // This format gives schemas no name; others ask for one.
  return { type: 'json_schema', name: 'structured_output', schema: isJsonObject(format.schema) ? format.schema : {} };
}

function decodeThinking(body: JsonObject): ReasoningOptions | undefined {
  const config = isJsonObject(body.output_config) ? body.output_config : {};
  const effort = typeof config.effort === 'string' ? { effort: config.effort } : {};
  const { thinking } = body;
  if (!isJsonObject(thinking)) return config.effort === undefined || config.effort === null ? undefined : effort;
  const { type, budget_tokens: budget } = thinking;
  return {
    ...effort,
    ...(type === 'enabled' || type === 'disabled' || type === 'adaptive' ? { mode: type } : {}),
    ...(typeof budget === 'number' ? { budgetTokens: budget } : {}),
  };
}
