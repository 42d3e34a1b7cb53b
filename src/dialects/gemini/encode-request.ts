import type { EncodeOptions } from '../../core/dialect.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { NeutralRequest, NeutralTool } from '../../core/neutral.ts';
import { crossing } from '../foreign-parameters.ts';
import { refuseParameters, unsupportedParameters, withEdits } from '../parameter-edits.ts';
import { encodeContents, encodeSystem } from './encode-content.ts';
import { camelCased } from './fields.ts';
import { configNames, passThrough } from './pass-through.ts';
import { encodeThinking } from './thinking.ts';

/** What stands at the top of a request, beside what has a place in the neutral form. */
const topNames: ReadonlySet<string> = new Set([
  'safetySettings',
  'cachedContent',
  'labels',
  'modelArmorConfig',
  'serviceTier',
  'store',
  'web_search_options',
]);
const target = {
  own: ['gemini'],
  knows: (name: string) => configNames.has(camelCased(name)) || topNames.has(camelCased(name)) || topNames.has(name),
} as const;

export function encodeRequest(request: NeutralRequest, options: EncodeOptions): JsonObject {
  const { modalities, ...rest } = request.extra;
  const { passed, refused } = crossing(rest, target, options);
  const { web_search_options: webSearch, ...extra } = passed;
  const dropped = new Set(options.additionalDropParams);
  refuseParameters([...refused, ...neutralRefused(request)], options);

  const members = Object.entries(extra).map(
    ([name, value]) => [target.knows(name) ? camelCased(name) : name, value] as const,
  );
  const tools = request.tools.map(encodeTool);
  const declarations = tools.filter((tool) => 'name' in tool);
  const hosted = tools.filter((tool) => !('name' in tool));
  if (isJsonObject(webSearch)) hosted.push({ googleSearch: {} });
  const config: JsonObject = {
    ...Object.fromEntries(members.filter(([name]) => configNames.has(name))),
    ...present('temperature', request.temperature),
    ...present('topP', request.topP),
    ...present('topK', request.topK),
    ...present('candidateCount', request.choices),
    ...present('maxOutputTokens', request.maxOutputTokens),
    ...(request.stop.length > 0 ? { stopSequences: request.stop } : {}),
    ...present('seed', request.seed),
    ...present('presencePenalty', request.presencePenalty),
    ...present('frequencyPenalty', request.frequencyPenalty),
    ...(request.logprobs === undefined
      ? {}
      : { responseLogprobs: true, ...present('logprobs', request.logprobs.topLogprobs) }),
    ...(dropped.has('response_format') ? {} : encodeFormat(request)),
    ...present(
      'thinkingConfig',
      dropped.has('reasoning_effort') ? undefined : encodeThinking(request.reasoning, options.traits),
    ),
    ...(Array.isArray(modalities) ? { responseModalities: modalities.map((one) => String(one).toUpperCase()) } : {}),
  };
  const body: JsonObject = {
    ...Object.fromEntries(members.filter(([name]) => !configNames.has(name))),
    contents: encodeContents(repaired(request, options)),
    ...present('systemInstruction', encodeSystem(request.system)),
    ...(declarations.length + hosted.length > 0
      ? { tools: [...(declarations.length > 0 ? [{ functionDeclarations: declarations }] : []), ...hosted] }
      : {}),
    ...present('toolConfig', encodeToolChoice(request, declarations.length > 0)),
    ...(Object.keys(config).length > 0 ? { generationConfig: config } : {}),
    ...present('serviceTier', encodeServiceTier(request.serviceTier)),
  };
  return withEdits(body, passThrough(body, options));
}

function present(name: string, value: Json | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value };
}

/** What the neutral form can say and this format cannot. */
function neutralRefused(request: NeutralRequest): string[] {
  return request.parallelToolCalls === false && request.tools.length > 1 ? ['parallel_tool_calls'] : [];
}

function repaired(request: NeutralRequest, options: EncodeOptions): NeutralRequest['messages'] {
  const { messages } = request;
  if (messages.length > 0 && (messages[0]!.role === 'user' || !options.modifyParams)) return messages;
  return [{ role: 'user', content: [{ type: 'text', text: ' ' }] }, ...messages];
}

function encodeTool(tool: NeutralTool): JsonObject {
  if (tool.vendor !== undefined) {
    if (tool.vendor.dialect === 'gemini-generate') return tool.vendor.tool;
    const { type } = tool.vendor.tool;
    if (typeof type === 'string' && type.startsWith('web_search')) return { googleSearch: {} };
    throw unsupportedParameters([`tools: ${tool.name}`]);
  }
  return {
    name: tool.name,
    ...present('description', tool.description),
    ...present('parametersJsonSchema', tool.parameters),
  };
}

function encodeToolChoice({ toolChoice }: NeutralRequest, hasTools: boolean): JsonObject | undefined {
  if (!hasTools || toolChoice === undefined) return undefined;
  const mode = { auto: 'AUTO', none: 'NONE', required: 'ANY', tool: 'ANY' }[toolChoice.type];
  const names = toolChoice.type === 'tool' ? { allowedFunctionNames: [toolChoice.name] } : {};
  return { functionCallingConfig: { mode, ...names } };
}

function encodeFormat({ responseFormat }: NeutralRequest): JsonObject {
  if (responseFormat === undefined || responseFormat.type === 'text') return {};
  const json = { responseMimeType: 'application/json' };
  return responseFormat.type === 'json_schema' ? { ...json, responseJsonSchema: responseFormat.schema } : json;
}

function encodeServiceTier(tier: string | undefined): string | undefined {
  return tier === 'flex' || tier === 'priority' ? tier : undefined;
}
