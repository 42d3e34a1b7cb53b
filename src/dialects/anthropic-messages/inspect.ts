import type { RequestFacts } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import {
  asObject,
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

const roles = ['user', 'assistant'];

/** Checks every field whose type the format fixes; fields and kinds of content it does not know pass. */
export function inspectMessages(body: JsonObject): RequestFacts {
  const contents = nothingSeen();
  for (const [index, entry] of filledList(body, 'messages').entries()) {
    const path = `messages[${index}]`;
    const message = asObject(entry, path);
    requiredRole(message.role, `${path}.role`, roles, ['system']);
    checkContent(message.content, `${path}.content`, contents);
  }
  if (body.system !== undefined && body.system !== null) checkSystem(body.system);
  const tools = checkTools(body);
  for (const name of ['temperature', 'top_p', 'top_k']) optionalNumber(body, name);
  optionalStrings(body, 'stop_sequences');
  const thinking = optionalObject(body, 'thinking');
  if (thinking !== undefined) {
    requiredString(thinking, 'type', 'thinking.type');
    optionalWhole(thinking, 'budget_tokens', 0, 'thinking.budget_tokens');
  }
  const format =
    optionalObject(body, 'output_format') ??
    optionalObject(optionalObject(body, 'output_config') ?? {}, 'format', 'output_config.format');
  const metadata = optionalObject(body, 'metadata');
  return {
    model: optionalString(body, 'model'),
    stream: optionalBoolean(body, 'stream') ?? false,
    maxOutputTokens: optionalWhole(body, 'max_tokens', 1),
    choices: 1,
    endUser: (metadata && optionalString(metadata, 'user_id', 'metadata.user_id')) || undefined,
    // This format always tells.
    usageInStream: true,
    needs: {
      tools: tools.declared,
      vision: contents.vision,
      audio: false,
      files: contents.files,
      // Thinking is left out where a model cannot: no reason to look for another.
      reasoning: false,
      jsonSchema: format?.type === 'json_schema',
    },
    inputUnbounded: contents.unbounded || tools.unbounded,
    webSearchCallsMax: tools.webSearchCallsMax,
  };
}

function checkSystem(system: unknown): void {
  if (typeof system === 'string') return;
  if (!Array.isArray(system))
    throw malformed('system', `expected a string or a list of text blocks, got ${nameOf(system)}`);
  for (const [index, entry] of system.entries()) {
    const block = asObject(entry, `system[${index}]`);
    if (block.type !== 'text') throw malformed(`system[${index}].type`, 'expected "text"');
    requiredString(block, 'text', `system[${index}].text`);
  }
}

function checkContent(content: unknown, path: string, contents: Contents): void {
  if (typeof content === 'string') return;
  if (!Array.isArray(content))
    throw malformed(path, `expected a string or a list of content blocks, got ${nameOf(content)}`);
  for (const [index, entry] of content.entries()) {
    checkBlock(asObject(entry, `${path}[${index}]`), `${path}[${index}]`, contents);
  }
}

function checkBlock(block: JsonObject, path: string, contents: Contents): void {
  switch (requiredString(block, 'type', `${path}.type`)) {
    case 'text':
      requiredString(block, 'text', `${path}.text`);
      return;
    case 'image':
      contents.vision = true;
      checkSource(block, path, contents);
      return;
    case 'document':
      contents.files = true;
      checkSource(block, path, contents);
      return;
    case 'tool_use':
      requiredString(block, 'id', `${path}.id`);
      requiredString(block, 'name', `${path}.name`);
      asObject(block.input, `${path}.input`);
      return;
    case 'tool_result':
      requiredString(block, 'tool_use_id', `${path}.tool_use_id`);
      optionalBoolean(block, 'is_error', `${path}.is_error`);
      if (block.content !== undefined && block.content !== null) {
        checkContent(block.content, `${path}.content`, contents);
      }
      return;
    case 'thinking':
      requiredString(block, 'thinking', `${path}.thinking`);
      return;
    case 'redacted_thinking':
      requiredString(block, 'data', `${path}.data`);
      return;
    default:
  }
}

function checkSource(block: JsonObject, path: string, contents: Contents): void {
  const source = asObject(block.source, `${path}.source`);
  const type = requiredString(source, 'type', `${path}.source.type`);
  if (type === 'base64') requiredString(source, 'media_type', `${path}.source.media_type`);
  if (type === 'base64' || type === 'text') requiredString(source, 'data', `${path}.source.data`);
  else if (type === 'url') requiredString(source, 'url', `${path}.source.url`);
  if (type === 'url' || type === 'file') contents.unbounded = true;
}

interface ToolFacts {
  readonly declared: boolean;
  /** Tools that the provider runs feed the model more input than the caller sent. */
  readonly unbounded: boolean;
  readonly webSearchCallsMax: number | undefined;
}

function checkTools(body: JsonObject): ToolFacts {
  const tools = optionalList(body, 'tools') ?? [];
  let webSearchCallsMax: number | undefined = 0;
  let unbounded = Array.isArray(body.mcp_servers) && body.mcp_servers.length > 0;
  for (const [index, entry] of tools.entries()) {
    const path = `tools[${index}]`;
    const tool = asObject(entry, path);
    const type = optionalString(tool, 'type', `${path}.type`) ?? 'custom';
    if (type === 'custom') {
      requiredString(tool, 'name', `${path}.name`);
      optionalString(tool, 'description', `${path}.description`);
      asObject(tool.input_schema, `${path}.input_schema`);
    } else if (type.startsWith('web_search_')) {
      unbounded = true;
      const most = optionalWhole(tool, 'max_uses', 1, `${path}.max_uses`);
      webSearchCallsMax = most === undefined || webSearchCallsMax === undefined ? undefined : webSearchCallsMax + most;
    } else if (type.startsWith('web_fetch_') || type.startsWith('code_execution_')) unbounded = true;
  }
  const choice = optionalObject(body, 'tool_choice');
  if (choice !== undefined) requiredString(choice, 'type', 'tool_choice.type');
  return { declared: tools.length > 0, unbounded, webSearchCallsMax };
}
