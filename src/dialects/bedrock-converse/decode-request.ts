import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { NeutralRequest, NeutralTool, ReasoningOptions, ResponseFormat, ToolChoice } from '../../core/neutral.ts';
import {
  choiceAmong,
  malformed,
  optionalList,
  optionalNumber,
  optionalObject,
  optionalStrings,
  unknownMembers,
} from '../body-checks.ts';
import { cacheMarkOf, decodeMessages, decodeSystem } from './decode-content.ts';
import { inspectConverse } from './inspect.ts';

/** Fields with a place of their own in the neutral form; all others stay in `extra`. */
const neutralFields: ReadonlySet<string> = new Set([
  'modelId',
  'messages',
  'system',
  'inferenceConfig',
  'toolConfig',
  'outputConfig',
  'additionalModelRequestFields',
  'serviceTier',
]);

/** Of the fields meant for one family of models, those that other formats know, too. */
const modelFields: ReadonlySet<string> = new Set(['thinking', 'top_k', 'inferenceConfig', 'reasoning_effort']);

export function decodeRequest(body: JsonObject): NeutralRequest {
  const facts = inspectConverse(body);
  const config = optionalObject(body, 'inferenceConfig') ?? {};
  const more = optionalObject(body, 'additionalModelRequestFields') ?? {};
  const tools = optionalObject(body, 'toolConfig') ?? {};
  const declared = decodeTools(optionalList(tools, 'tools') ?? []);
  const tier = optionalObject(body, 'serviceTier')?.type;
  return {
    model: '',
    stream: false,
    system: decodeSystem(optionalList(body, 'system') ?? []),
    messages: decodeMessages(optionalList(body, 'messages') ?? []),
    tools: declared,
    toolChoice: choiceAmong(declared, decodeToolChoice(tools.toolChoice), 'toolConfig.toolChoice'),
    parallelToolCalls: undefined,
    maxOutputTokens: facts.maxOutputTokens,
    temperature: optionalNumber(config, 'temperature'),
    topP: optionalNumber(config, 'topP'),
    topK: topKIn(more),
    stop: optionalStrings(config, 'stopSequences', 'inferenceConfig.stopSequences'),
    seed: undefined,
    choices: undefined,
    presencePenalty: undefined,
    frequencyPenalty: undefined,
    responseFormat: decodeFormat(body),
    reasoning: decodeThinking(more, optionalObject(body, 'outputConfig')?.effort),
    endUser: undefined,
    logprobs: undefined,
    serviceTier: typeof tier === 'string' ? tier : undefined,
    includeUsageInStream: true,
    extra: { ...unknownMembers(body, neutralFields), ...unknownMembers(more, modelFields), ...otherSettings(more) },
  };
}

/** Claude's models have a place of their own for it, Nova's another. https://docs.aws.amazon.com/nova/latest/userguide/using-converse-api.html */
function topKIn(more: JsonObject): number | undefined {
  const place = 'additionalModelRequestFields';
  const config = optionalObject(more, 'inferenceConfig', `${place}.inferenceConfig`) ?? {};
  return (
    optionalNumber(more, 'top_k', `${place}.top_k`) ?? optionalNumber(config, 'topK', `${place}.inferenceConfig.topK`)
  );
}

function otherSettings({ inferenceConfig: config }: JsonObject): JsonObject {
  if (!isJsonObject(config)) return {};
  const { topK: _told, ...rest } = config;
  return Object.keys(rest).length === 0 ? {} : { inferenceConfig: rest };
}

function decodeTools(entries: readonly Json[]): NeutralTool[] {
  const tools: NeutralTool[] = [];
  for (const entry of entries.filter(isJsonObject)) {
    const mark = cacheMarkOf(entry);
    const last = tools.at(-1);
    if (isJsonObject(entry.toolSpec)) tools.push(decodeTool(entry.toolSpec));
    else if (mark !== undefined && last !== undefined) last.cacheMark = mark;
    else if (mark === undefined) {
      const name = isJsonObject(entry.systemTool) ? String(entry.systemTool.name) : 'unknown';
      tools.push({ name, vendor: { dialect: 'bedrock-converse', tool: entry } });
    }
  }
  return tools;
}

function decodeTool(spec: JsonObject): NeutralTool {
  const schema = isJsonObject(spec.inputSchema) ? spec.inputSchema.json : undefined;
  return {
    name: String(spec.name),
    ...(typeof spec.description === 'string' ? { description: spec.description } : {}),
    ...(isJsonObject(schema) ? { parameters: schema } : {}),
    ...(typeof spec.strict === 'boolean' ? { strict: spec.strict } : {}),
  };
}

function decodeToolChoice(choice: Json | undefined): ToolChoice | undefined {
  if (!isJsonObject(choice)) return undefined;
  if (choice.auto !== undefined) return { type: 'auto' };
  if (choice.any !== undefined) return { type: 'required' };
  if (isJsonObject(choice.tool) && typeof choice.tool.name === 'string')
    return { type: 'tool', name: choice.tool.name };
  throw malformed('toolConfig.toolChoice', 'expected "auto", "any" or "tool" with a name');
}

function decodeFormat(body: JsonObject): ResponseFormat | undefined {
  const format = optionalObject(body, 'outputConfig')?.textFormat;
  const structure = isJsonObject(format) ? format.structure : undefined;
  const described = isJsonObject(structure) ? structure.jsonSchema : undefined;
  if (!isJsonObject(described) || typeof described.schema !== 'string') return undefined;
  return {
    type: 'json_schema',
    name: typeof described.name === 'string' ? described.name : 'structured_output',
    schema: schemaOf(described.schema),
    ...(typeof described.description === 'string' ? { description: described.description } : {}),
  };
}

function schemaOf(text: string): JsonObject {
  try {
    const schema: unknown = JSON.parse(text);
    if (isJsonObject(schema)) return schema;
  } catch {
    // Told below.
  }
  throw malformed('outputConfig.textFormat.structure.jsonSchema.schema', 'expected the text of a JSON object');
}

function decodeThinking(more: JsonObject, outputEffort: Json | undefined): ReasoningOptions | undefined {
  const given = more.reasoning_effort ?? outputEffort;
  const effort = typeof given === 'string' ? { effort: given } : {};
  const { thinking } = more;
  if (!isJsonObject(thinking)) return 'effort' in effort ? effort : undefined;
  const { type, budget_tokens: budget } = thinking;
  return {
    ...effort,
    ...(type === 'enabled' || type === 'disabled' || type === 'adaptive' ? { mode: type } : {}),
    ...(typeof budget === 'number' ? { budgetTokens: budget } : {}),
  };
}
