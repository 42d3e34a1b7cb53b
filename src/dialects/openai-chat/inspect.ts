import type { RequestFacts } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import {
  asObject,
  asString,
  choices,
  filledList,
  malformed,
  nameOf,
  optionalBoolean,
  optionalList,
  optionalNumber,
  optionalObject,
  optionalString,
  optionalStrings,
  optionalWhole,
  requiredString,
} from '../body-checks.ts';
import { type Contents, nothingSeen, requiredRole } from '../inspected.ts';

const roles = ['system', 'developer', 'user', 'assistant', 'tool', 'function'];

/** Checks every field whose type the format fixes; fields it does not know pass. */
export function inspectChat(body: JsonObject): RequestFacts {
  const contents = nothingSeen();
  for (const [index, message] of filledList(body, 'messages').entries()) {
    checkMessage(asObject(message, `messages[${index}]`), `messages[${index}]`, contents);
  }
  const tools = checkTools(body);
  checkResponseFormat(body);
  checkNumbers(body);
  optionalStrings(body, 'stop');
  const effort = optionalString(body, 'reasoning_effort');
  const webSearch = optionalObject(body, 'web_search_options') !== undefined;
  const maxCompletionTokens = optionalWhole(body, 'max_completion_tokens', 1);
  const maxTokens = optionalWhole(body, 'max_tokens', 1);
  return {
    model: optionalString(body, 'model'),
    stream: optionalBoolean(body, 'stream') ?? false,
    maxOutputTokens: maxCompletionTokens ?? maxTokens,
    choices: choices(body, 'n'),
    endUser: optionalString(body, 'user') || undefined,
    usageInStream:
      optionalBoolean(optionalObject(body, 'stream_options') ?? {}, 'include_usage', 'stream_options.include_usage') ??
      false,
    needs: {
      tools,
      vision: contents.vision,
      audio: contents.audio || asksForAudio(body),
      files: contents.files,
      reasoning: effort !== undefined && effort !== 'none',
      jsonSchema: optionalObject(body, 'response_format')?.type === 'json_schema',
    },
    inputUnbounded: contents.unbounded || webSearch,
    webSearchCallsMax: webSearch ? undefined : 0,
  };
}

function checkMessage(message: JsonObject, path: string, contents: Contents): void {
  const role = requiredRole(message.role, `${path}.role`, roles);
  if (message.name !== undefined) optionalString(message, 'name', `${path}.name`);
  const calls = optionalList(message, 'tool_calls', `${path}.tool_calls`);
  const mayBeSilent = role === 'assistant' || (message.content === null && (role === 'tool' || role === 'function'));
  checkContent(message, path, contents, mayBeSilent);
  if (role === 'tool') requiredString(message, 'tool_call_id', `${path}.tool_call_id`);
  for (const [index, call] of (calls ?? []).entries()) {
    checkToolCall(asObject(call, `${path}.tool_calls[${index}]`), `${path}.tool_calls[${index}]`);
  }
}

function checkToolCall(call: JsonObject, path: string): void {
  requiredString(call, 'id', `${path}.id`);
  if (optionalString(call, 'type', `${path}.type`) === 'custom') return;
  const called = asObject(call.function, `${path}.function`);
  requiredString(called, 'name', `${path}.function.name`);
  optionalString(called, 'arguments', `${path}.function.arguments`);
}

function checkContent(message: JsonObject, path: string, contents: Contents, mayBeSilent: boolean): void {
  const { content } = message;
  if (typeof content === 'string') return;
  if (content === undefined || content === null) {
    if (mayBeSilent) return;
    throw malformed(`${path}.content`, `expected a string or a list of parts, got ${nameOf(content)}`);
  }
  if (!Array.isArray(content)) {
    throw malformed(`${path}.content`, `expected a string or a list of parts, got ${nameOf(content)}`);
  }
  for (const [index, part] of content.entries()) {
    checkPart(asObject(part, `${path}.content[${index}]`), `${path}.content[${index}]`, contents);
  }
}

function checkPart(part: JsonObject, path: string, contents: Contents): void {
  const type = requiredString(part, 'type', `${path}.type`);
  switch (type) {
    case 'text':
      requiredString(part, 'text', `${path}.text`);
      return;
    case 'refusal':
      requiredString(part, 'refusal', `${path}.refusal`);
      return;
    case 'image_url': {
      contents.vision = true;
      // Some clients write the address alone.
      const image =
        typeof part.image_url === 'string' ? { url: part.image_url } : asObject(part.image_url, `${path}.image_url`);
      const url = requiredString(image, 'url', `${path}.image_url.url`);
      optionalString(image, 'detail', `${path}.image_url.detail`);
      if (!url.startsWith('data:')) contents.unbounded = true;
      return;
    }
    case 'input_audio': {
      contents.audio = true;
      const audio = asObject(part.input_audio, `${path}.input_audio`);
      requiredString(audio, 'data', `${path}.input_audio.data`);
      requiredString(audio, 'format', `${path}.input_audio.format`);
      return;
    }
    case 'file': {
      contents.files = true;
      const file = asObject(part.file, `${path}.file`);
      optionalString(file, 'filename', `${path}.file.filename`);
      if (optionalString(file, 'file_data', `${path}.file.file_data`) === undefined) {
        const id = optionalString(file, 'file_id', `${path}.file.file_id`);
        if (id === undefined) throw malformed(`${path}.file`, 'expected file_data or file_id');
        contents.unbounded = true;
      }
      return;
    }
    default:
      // Servers know kinds of their own (video_url, audio_url …): how much they cost to read is not known here.
      contents.unbounded = true;
  }
}

function checkTools(body: JsonObject): boolean {
  const tools = optionalList(body, 'tools');
  for (const [index, entry] of (tools ?? []).entries()) {
    const path = `tools[${index}]`;
    const tool = asObject(entry, path);
    const type = requiredString(tool, 'type', `${path}.type`);
    if (type !== 'function') continue;
    const definition = asObject(tool.function, `${path}.function`);
    checkDefinition(definition, `${path}.function`);
  }
  const functions = optionalList(body, 'functions');
  for (const [index, entry] of (functions ?? []).entries()) {
    checkDefinition(asObject(entry, `functions[${index}]`), `functions[${index}]`);
  }
  const choice = body.tool_choice;
  if (choice !== undefined && choice !== null && typeof choice !== 'string') {
    requiredString(asObject(choice, 'tool_choice'), 'type', 'tool_choice.type');
  }
  optionalBoolean(body, 'parallel_tool_calls');
  return (tools?.length ?? 0) + (functions?.length ?? 0) > 0;
}

function checkDefinition(definition: JsonObject, path: string): void {
  requiredString(definition, 'name', `${path}.name`);
  optionalString(definition, 'description', `${path}.description`);
  optionalObject(definition, 'parameters', `${path}.parameters`);
  optionalBoolean(definition, 'strict', `${path}.strict`);
}

function checkResponseFormat(body: JsonObject): void {
  const format = optionalObject(body, 'response_format');
  if (format === undefined) return;
  const type = requiredString(format, 'type', 'response_format.type');
  if (type !== 'json_schema') return;
  const schema = asObject(format.json_schema, 'response_format.json_schema');
  optionalString(schema, 'name', 'response_format.json_schema.name');
  optionalString(schema, 'description', 'response_format.json_schema.description');
  optionalObject(schema, 'schema', 'response_format.json_schema.schema');
  optionalBoolean(schema, 'strict', 'response_format.json_schema.strict');
}

function checkNumbers(body: JsonObject): void {
  for (const name of ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty']) optionalNumber(body, name);
  optionalNumber(body, 'seed');
  optionalBoolean(body, 'logprobs');
  optionalWhole(body, 'top_logprobs', 0);
}

function asksForAudio(body: JsonObject): boolean {
  const modalities = optionalList(body, 'modalities');
  return modalities?.some((entry, index) => asString(entry, `modalities[${index}]`) === 'audio') ?? false;
}
