import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { NeutralRequest, NeutralTool, ReasoningOptions, ResponseFormat, ToolChoice } from '../../core/neutral.ts';
import { choiceAmong, effortIn, malformed } from '../body-checks.ts';
import { geminiParameters } from '../foreign-parameters.ts';
import { decodeContents, decodeSystem } from './decode-content.ts';
import { camelCased, field, listField, numberField, objectField, stringField } from './fields.ts';
import { inspectGenerate } from './inspect.ts';
import { neutralConfigNames } from './pass-through.ts';
import { jsonSchemaOf } from './schema.ts';

/** Fields with a place of their own in the neutral form; all others stay in `extra`. */
const neutralFields: ReadonlySet<string> = new Set([
  'model',
  'contents',
  'systemInstruction',
  'generationConfig',
  'tools',
  'toolConfig',
  'serviceTier',
]);

export function decodeRequest(body: JsonObject): NeutralRequest {
  const facts = inspectGenerate(body);
  const config = objectField(body, 'generationConfig', 'generationConfig') ?? {};
  const number = (name: string) => numberField(config, name, `generationConfig.${name}`);
  const { system, messages } = decodeContents(listField(body, 'contents', 'contents'));
  const stop = listField(config, 'stopSequences', 'generationConfig.stopSequences');
  const choices = number('candidateCount');
  const tools = listField(body, 'tools', 'tools').filter(isJsonObject).flatMap(decodeTool);
  return {
    model: '',
    stream: false,
    system: [...decodeSystem(objectField(body, 'systemInstruction', 'systemInstruction')), ...system],
    messages,
    tools,
    toolChoice: choiceAmong(tools, decodeToolChoice(body), 'toolConfig.functionCallingConfig'),
    parallelToolCalls: undefined,
    maxOutputTokens: facts.maxOutputTokens,
    temperature: number('temperature'),
    topP: number('topP'),
    topK: number('topK'),
    stop: stop.map(String),
    seed: number('seed'),
    choices,
    presencePenalty: number('presencePenalty'),
    frequencyPenalty: number('frequencyPenalty'),
    responseFormat: decodeFormat(config),
    reasoning: decodeThinking(config),
    endUser: undefined,
    logprobs: field(config, 'responseLogprobs') === true ? { topLogprobs: number('logprobs') } : undefined,
    serviceTier: stringField(body, 'serviceTier', 'serviceTier'),
    includeUsageInStream: true,
    extra: { ...unknown(body, neutralFields), ...withoutPlainText(unknown(config, neutralConfigNames)) },
  };
}

/** The format's own fields under their documented names, so that another format knows what it refuses. */
function unknown(object: JsonObject, known: ReadonlySet<string>): JsonObject {
  const isOwn = (name: string) =>
    known.has(name) || geminiParameters.hints.has(name) || geminiParameters.features.has(name);
  return Object.fromEntries(
    Object.entries(object)
      .map(([name, value]) => [isOwn(camelCased(name)) ? camelCased(name) : name, value] as const)
      .filter(([name, value]) => !known.has(name) && value !== undefined),
  ) as JsonObject;
}

/** A wish for text asks for nothing. */
function withoutPlainText({ responseModalities, ...extra }: JsonObject): JsonObject {
  const isText = Array.isArray(responseModalities) && responseModalities.every((one) => one === 'TEXT');
  return responseModalities === undefined || isText ? extra : { ...extra, responseModalities };
}

function decodeTool(tool: JsonObject): NeutralTool[] {
  const declared = listField(tool, 'functionDeclarations', 'tools').filter(isJsonObject).map(decodeDeclaration);
  const hosted = Object.entries(tool)
    .filter(([name]) => camelCased(name) !== 'functionDeclarations')
    .map(([name, value]) => ({
      name: camelCased(name),
      vendor: { dialect: 'gemini-generate', tool: { [camelCased(name)]: value } as JsonObject },
    }));
  return [...declared, ...hosted];
}

function decodeDeclaration(declaration: JsonObject): NeutralTool {
  const description = stringField(declaration, 'description', 'tools');
  const schema = field(declaration, 'parametersJsonSchema');
  const own = field(declaration, 'parameters');
  const parameters = isJsonObject(schema) ? schema : own === undefined ? undefined : jsonSchemaOf(own);
  return {
    name: stringField(declaration, 'name', 'tools') ?? '',
    ...(description === undefined ? {} : { description }),
    ...(parameters === undefined ? {} : { parameters }),
  };
}

function decodeToolChoice(body: JsonObject): ToolChoice | undefined {
  const toolConfig = objectField(body, 'toolConfig', 'toolConfig') ?? {};
  const config = objectField(toolConfig, 'functionCallingConfig', 'toolConfig.functionCallingConfig');
  if (config === undefined) return undefined;
  const mode = stringField(config, 'mode', 'toolConfig.functionCallingConfig.mode')?.toUpperCase();
  const names = listField(config, 'allowedFunctionNames', 'toolConfig.functionCallingConfig.allowedFunctionNames');
  switch (mode) {
    case undefined:
    case 'MODE_UNSPECIFIED':
      return undefined;
    case 'AUTO':
    case 'VALIDATED':
      return { type: 'auto' };
    case 'NONE':
      return { type: 'none' };
    case 'ANY':
      return names.length === 1 ? { type: 'tool', name: String(names[0]) } : { type: 'required' };
    default:
      throw malformed('toolConfig.functionCallingConfig.mode', 'expected "AUTO", "ANY", "VALIDATED" or "NONE"');
  }
}

function decodeFormat(config: JsonObject): ResponseFormat | undefined {
  const schema: Json | undefined = field(config, 'responseJsonSchema');
  const own = field(config, 'responseSchema');
  if (isJsonObject(schema)) return { type: 'json_schema', name: 'structured_output', schema };
  if (own !== undefined) return { type: 'json_schema', name: 'structured_output', schema: jsonSchemaOf(own) };
  const mediaType = stringField(config, 'responseMimeType', 'generationConfig.responseMimeType');
  return mediaType === 'application/json' ? { type: 'json_object' } : undefined;
}

function decodeThinking(config: JsonObject): ReasoningOptions | undefined {
  const thinking = objectField(config, 'thinkingConfig', 'generationConfig.thinkingConfig');
  if (thinking === undefined) return undefined;
  const place = 'generationConfig.thinkingConfig.thinkingLevel';
  const level = stringField(thinking, 'thinkingLevel', place)?.toLowerCase();
  if (level !== undefined && level !== 'thinking_level_unspecified') {
    return { effort: effortIn({ level }, 'level', place)! };
  }
  const budgetTokens = numberField(thinking, 'thinkingBudget', 'generationConfig.thinkingConfig.thinkingBudget');
  if (budgetTokens === undefined) return field(thinking, 'includeThoughts') === true ? { mode: 'adaptive' } : undefined;
  if (budgetTokens === 0) return { mode: 'disabled' };
  return budgetTokens < 0 ? { mode: 'adaptive' } : { mode: 'enabled', budgetTokens };
}
