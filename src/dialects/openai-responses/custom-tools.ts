import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { NeutralTool } from '../../core/neutral.ts';

/* Tools that take free text instead of JSON. Other formats see a function with the one parameter `input`. */

const inputParameters: JsonObject = {
  type: 'object',
  properties: { input: { type: 'string' } },
  required: ['input'],
  additionalProperties: false,
};

export function decodeCustomTool(tool: JsonObject): NeutralTool {
  const description = typeof tool.description === 'string' ? tool.description : undefined;
  const format = isJsonObject(tool.format) ? tool.format : undefined;
  const told = [description, grammarOf(format)].filter((text) => text !== undefined).join('\n\n');
  return {
    name: String(tool.name),
    ...(told === '' ? {} : { description: told }),
    parameters: inputParameters,
    custom: { ...(description === undefined ? {} : { description }), ...(format === undefined ? {} : { format }) },
  };
}

export function encodeCustomTool(tool: NeutralTool): JsonObject {
  return { type: 'custom', name: tool.name, ...tool.custom };
}

/** A model that is not bound to the grammar is told it. */
function grammarOf(format: JsonObject | undefined): string | undefined {
  if (format?.type !== 'grammar' || typeof format.definition !== 'string') return undefined;
  const syntax = typeof format.syntax === 'string' ? `${format.syntax} ` : '';
  return `The input is plain text that follows this ${syntax}grammar:\n${format.definition}`;
}

export function customArguments(input: string): string {
  return JSON.stringify({ input });
}

/** The free text in a call's arguments; the arguments themselves where a model wrote something else. */
export function customInput(argumentsText: string): string {
  try {
    const value: unknown = JSON.parse(argumentsText);
    if (isJsonObject(value) && typeof value.input === 'string') return value.input;
  } catch {
    // Not JSON: the model took the tool at its word.
  }
  return argumentsText;
}

/** Names of the caller's tools that take free text. */
export function customToolNames(request: JsonObject | undefined): ReadonlySet<string> {
  const tools = Array.isArray(request?.tools) ? request.tools : [];
  return new Set(tools.filter(isJsonObject).flatMap((tool) => (tool.type === 'custom' ? [String(tool.name)] : [])));
}
