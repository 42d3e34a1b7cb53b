import type { RequestFacts } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import {
  asObject,
  malformed,
  nameOf,
  optionalBoolean,
  optionalList,
  optionalNumber,
  optionalObject,
  optionalString,
  optionalWhole,
  requiredString,
} from '../body-checks.ts';
import { type Contents, nothingSeen, requiredRole } from '../inspected.ts';

const roles = ['system', 'developer', 'user', 'assistant'];

/** Checks every field whose type the format fixes; fields and items it does not know pass. */
export function inspectResponses(body: JsonObject): RequestFacts {
  const contents = nothingSeen();
  checkInput(body.input, contents);
  checkInstructions(body.instructions, contents);
  const tools = checkTools(body);
  const format = checkText(body);
  for (const name of ['temperature', 'top_p']) optionalNumber(body, name);
  for (const name of ['store', 'background', 'parallel_tool_calls']) optionalBoolean(body, name);
  optionalWhole(body, 'top_logprobs', 0);
  optionalList(body, 'include');
  const reasoning = optionalObject(body, 'reasoning') ?? {};
  const effort = optionalString(reasoning, 'effort', 'reasoning.effort');
  optionalString(reasoning, 'summary', 'reasoning.summary');
  const maxToolCalls = optionalWhole(body, 'max_tool_calls', 1);
  const isContinued = [
    optionalString(body, 'previous_response_id'),
    conversationId(body),
    optionalObject(body, 'prompt'),
  ].some((value) => value !== undefined);
  return {
    model: optionalString(body, 'model'),
    stream: optionalBoolean(body, 'stream') ?? false,
    maxOutputTokens: optionalWhole(body, 'max_output_tokens', 1),
    choices: 1,
    endUser: optionalString(body, 'safety_identifier') || optionalString(body, 'user') || undefined,
    usageInStream: true,
    needs: {
      tools: tools.declared,
      vision: contents.vision,
      audio: contents.audio,
      files: contents.files,
      reasoning: effort !== undefined && effort !== 'none',
      jsonSchema: format === 'json_schema',
    },
    inputUnbounded: contents.unbounded || tools.hosted || isContinued,
    webSearchCallsMax: tools.searches ? maxToolCalls : 0,
  };
}

/** `"conv_…"` or `{"id": "conv_…"}`; undefined when there is none. */
export function conversationId(body: JsonObject): string | undefined {
  const { conversation } = body;
  if (conversation === undefined || conversation === null) return undefined;
  if (typeof conversation === 'string') return conversation;
  return requiredString(asObject(conversation, 'conversation'), 'id', 'conversation.id');
}

function checkInstructions(instructions: unknown, contents: Contents): void {
  if (instructions === undefined || instructions === null || typeof instructions === 'string') return;
  if (!Array.isArray(instructions)) throw malformed('instructions', `expected a string, got ${nameOf(instructions)}`);
  checkItems(instructions, 'instructions', contents);
}

function checkInput(input: unknown, contents: Contents): void {
  if (input === undefined || input === null || typeof input === 'string') return;
  if (!Array.isArray(input)) throw malformed('input', `expected a string or a list of items, got ${nameOf(input)}`);
  checkItems(input, 'input', contents);
}

function checkItems(items: readonly unknown[], path: string, contents: Contents): void {
  for (const [index, entry] of items.entries()) {
    checkItem(asObject(entry, `${path}[${index}]`), `${path}[${index}]`, contents);
  }
}

function checkItem(item: JsonObject, path: string, contents: Contents): void {
  switch (optionalString(item, 'type', `${path}.type`) ?? 'message') {
    case 'message': {
      requiredRole(item.role, `${path}.role`, roles);
      checkContent(item.content, `${path}.content`, contents);
      return;
    }
    case 'function_call':
      requiredString(item, 'call_id', `${path}.call_id`);
      requiredString(item, 'name', `${path}.name`);
      requiredString(item, 'arguments', `${path}.arguments`);
      return;
    case 'custom_tool_call':
      requiredString(item, 'call_id', `${path}.call_id`);
      requiredString(item, 'name', `${path}.name`);
      requiredString(item, 'input', `${path}.input`);
      return;
    case 'function_call_output':
    case 'custom_tool_call_output':
      requiredString(item, 'call_id', `${path}.call_id`);
      checkContent(item.output, `${path}.output`, contents);
      return;
    case 'reasoning':
      optionalList(item, 'summary', `${path}.summary`);
      optionalList(item, 'content', `${path}.content`);
      optionalString(item, 'encrypted_content', `${path}.encrypted_content`);
      return;
    case 'item_reference':
      requiredString(item, 'id', `${path}.id`);
      contents.unbounded = true;
      return;
    default:
      // What the provider's own tools did; only that provider knows how much there is to read in it.
      contents.unbounded = true;
  }
}

function checkContent(content: unknown, path: string, contents: Contents): void {
  if (typeof content === 'string') return;
  if (!Array.isArray(content)) throw malformed(path, `expected a string or a list of parts, got ${nameOf(content)}`);
  for (const [index, entry] of content.entries()) {
    checkPart(asObject(entry, `${path}[${index}]`), `${path}[${index}]`, contents);
  }
}

function checkPart(part: JsonObject, path: string, contents: Contents): void {
  switch (requiredString(part, 'type', `${path}.type`)) {
    case 'input_text':
    case 'output_text':
    case 'text':
      requiredString(part, 'text', `${path}.text`);
      return;
    case 'refusal':
      requiredString(part, 'refusal', `${path}.refusal`);
      return;
    case 'input_image': {
      contents.vision = true;
      const url = optionalString(part, 'image_url', `${path}.image_url`);
      const id = optionalString(part, 'file_id', `${path}.file_id`);
      optionalString(part, 'detail', `${path}.detail`);
      if (url === undefined && id === undefined) throw malformed(path, 'expected image_url or file_id');
      if (url === undefined || !url.startsWith('data:')) contents.unbounded = true;
      return;
    }
    case 'input_file': {
      contents.files = true;
      optionalString(part, 'filename', `${path}.filename`);
      const sources = ['file_data', 'file_id', 'file_url'].map((name) => optionalString(part, name, `${path}.${name}`));
      if (sources.every((source) => source === undefined)) {
        throw malformed(path, 'expected file_data, file_id or file_url');
      }
      if (sources[0] === undefined) contents.unbounded = true;
      return;
    }
    case 'input_audio': {
      contents.audio = true;
      const audio = asObject(part.input_audio, `${path}.input_audio`);
      requiredString(audio, 'data', `${path}.input_audio.data`);
      requiredString(audio, 'format', `${path}.input_audio.format`);
      return;
    }
    default:
      contents.unbounded = true;
  }
}

interface ToolFacts {
  readonly declared: boolean;
  /** Tools that the provider runs feed the model more input than the caller sent. */
  readonly hosted: boolean;
  readonly searches: boolean;
}

/** Tools whose work the caller does itself: nothing reaches the model but what the caller sends. */
const callersOwn: ReadonlySet<string> = new Set([
  'function',
  'custom',
  'namespace',
  'local_shell',
  'apply_patch',
  'tool_search',
]);

function checkTools(body: JsonObject): ToolFacts {
  const tools = optionalList(body, 'tools') ?? [];
  let hosted = false;
  let searches = false;
  for (const [index, entry] of tools.entries()) {
    const path = `tools[${index}]`;
    const tool = asObject(entry, path);
    const type = requiredString(tool, 'type', `${path}.type`);
    if (type === 'function' || type === 'custom') {
      // Written as for chat completions, the commonest mistake.
      if (isJsonObject(tool.function)) {
        throw malformed(`${path}.function`, 'this format has name, description and parameters beside the type');
      }
      requiredString(tool, 'name', `${path}.name`);
      optionalString(tool, 'description', `${path}.description`);
      optionalObject(tool, 'parameters', `${path}.parameters`);
      optionalBoolean(tool, 'strict', `${path}.strict`);
    }
    if (!callersOwn.has(type)) hosted = true;
    if (type.startsWith('web_search') || type === 'file_search') searches = true;
  }
  const choice = body.tool_choice;
  if (choice !== undefined && choice !== null && typeof choice !== 'string') {
    requiredString(asObject(choice, 'tool_choice'), 'type', 'tool_choice.type');
  }
  return { declared: tools.length > 0, hosted, searches };
}

function checkText(body: JsonObject): string | undefined {
  const format = optionalObject(optionalObject(body, 'text') ?? {}, 'format', 'text.format');
  if (format === undefined) return undefined;
  const type = requiredString(format, 'type', 'text.format.type');
  if (type !== 'json_schema') return type;
  optionalString(format, 'name', 'text.format.name');
  asObject(format.schema, 'text.format.schema');
  optionalBoolean(format, 'strict', 'text.format.strict');
  return type;
}
