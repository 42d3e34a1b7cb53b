import type { JsonObject } from '../../core/json.ts';
import type { ResponseFormat } from '../../core/neutral.ts';
import { jsonToolName } from './decode-content.ts';

interface ToolUse {
  readonly tools: readonly JsonObject[];
  readonly toolChoice: JsonObject | undefined;
}

/**
 * A wish for JSON: natively, or through a tool whose input is the answer (the way back turns its call into text). With
 * tools of the caller beside it the model must call one of them; while it thinks it cannot be forced at all.
 */
export function structuredOutput(
  format: ResponseFormat | undefined,
  use: ToolUse,
  model: { readonly isThinking: boolean; readonly isNative: boolean },
): ToolUse & { readonly outputConfig?: JsonObject } {
  if (format === undefined || format.type === 'text') return use;
  if (format.type === 'json_schema' && model.isNative) {
    return { ...use, outputConfig: { format: { type: 'json_schema', schema: format.schema } } };
  }
  const schema = format.type === 'json_schema' ? format.schema : { additionalProperties: true, properties: {} };
  const description =
    (format.type === 'json_schema' ? format.description : undefined) ??
    'Give the whole answer as the input of this tool.';
  const answerTool = { name: jsonToolName, description, input_schema: { type: 'object', ...schema } };
  const isFree = use.toolChoice === undefined || use.toolChoice.type === 'auto';
  const forced = use.tools.length === 0 ? { type: 'tool', name: jsonToolName } : { type: 'any' };
  return {
    tools: [...use.tools, answerTool],
    toolChoice: isFree && !model.isThinking ? { ...use.toolChoice, ...forced } : use.toolChoice,
  };
}
