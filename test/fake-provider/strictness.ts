import type { IncomingHttpHeaders } from 'node:http';
import { converseRefusal } from './bedrock.ts';
import { geminiRefusal } from './gemini.ts';
import { isRecord } from './json.ts';
import { isMistral, mistralRefusal } from './mistral.ts';
import type { FakeOperation } from './operations.ts';
import type { ScriptedError } from './script.ts';

/** What a real provider refuses. The checks of `strict` are those a wrong translation would run into. */

const anthropicFields = new Set(
  `model messages max_tokens container context_management inference_geo mcp_servers metadata output_config output_format service_tier
   speed stop_sequences stream system temperature thinking tool_choice tools top_k top_p cache_control`.split(/\s+/),
);

export function refusalOf(
  operation: FakeOperation,
  headers: IncomingHttpHeaders,
  body: unknown,
  strict: boolean,
): ScriptedError | undefined {
  if (!isRecord(body)) return { message: 'We could not parse the JSON body of your request.' };
  for (const field of operation.requiredFields) {
    if (body[field] === undefined || body[field] === null) {
      return operation.family === 'anthropic'
        ? { message: `${field}: Field required` }
        : { message: `Missing required parameter: '${field}'.`, param: field, code: 'missing_required_parameter' };
    }
  }
  if (operation.family === 'google') {
    const message = strict ? geminiRefusal(body) : undefined;
    return message === undefined ? undefined : { message };
  }
  if (operation.family === 'amazon') {
    const message = strict && operation.suffix.startsWith('/converse') ? converseRefusal(body) : undefined;
    return message === undefined ? undefined : { message };
  }
  if (strict && isMistral(body) && operation.suffix === '/chat/completions') {
    const message = mistralRefusal(body);
    return message === undefined ? undefined : { message, type: 'invalid_function_call', code: '3280' };
  }
  if (operation.family !== 'anthropic') return undefined;
  if (headers['anthropic-version'] === undefined) return { message: 'anthropic-version: header is required' };
  return strict ? anthropicRefusal(body) : undefined;
}

function anthropicRefusal(body: Readonly<Record<string, unknown>>): ScriptedError | undefined {
  for (const field of Object.keys(body)) {
    if (!anthropicFields.has(field)) return { message: `${field}: Extra inputs are not permitted` };
  }
  const messages = Array.isArray(body.messages) ? body.messages : [];
  for (const [index, message] of messages.entries()) {
    if (!isRecord(message) || (message.role !== 'user' && message.role !== 'assistant')) {
      return { message: `messages.${index}.role: Input should be 'user' or 'assistant'` };
    }
    if (message.content === '' || (Array.isArray(message.content) && message.content.length === 0)) {
      if (index < messages.length - 1)
        return { message: `messages.${index}: all messages must have non-empty content` };
    }
    const unanswered = missingResult(idsOf(message, 'tool_use', 'id'), messages[index + 1]);
    if (unanswered !== undefined) {
      return {
        message: `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${unanswered}`,
      };
    }
    const asked = new Set(idsOf(messages[index - 1], 'tool_use', 'id'));
    const stray = idsOf(message, 'tool_result', 'tool_use_id').find((id) => !asked.has(id));
    if (stray !== undefined) {
      return {
        message: `messages.${index}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      };
    }
  }
  return undefined;
}

function missingResult(asked: readonly string[], next: unknown): string | undefined {
  const answered = new Set(idsOf(next, 'tool_result', 'tool_use_id'));
  return asked.find((id) => !answered.has(id));
}

function idsOf(message: unknown, type: string, field: string): string[] {
  if (!isRecord(message) || !Array.isArray(message.content)) return [];
  return message.content
    .filter(isRecord)
    .filter((block) => block.type === type)
    .map((block) => String(block[field]));
}
