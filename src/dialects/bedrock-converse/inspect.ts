import type { CallAddress, RequestFacts } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import {
  asObject,
  filledList,
  malformed,
  nameOf,
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
export function inspectConverse(body: JsonObject, address?: CallAddress): RequestFacts {
  const contents = nothingSeen();
  for (const [index, entry] of filledList(body, 'messages').entries()) {
    const path = `messages[${index}]`;
    const message = asObject(entry, path);
    requiredRole(message.role, `${path}.role`, roles);
    if (!Array.isArray(message.content)) {
      throw malformed(`${path}.content`, `expected a list of content blocks, got ${nameOf(message.content)}`);
    }
    for (const [at, block] of message.content.entries()) {
      checkBlock(asObject(block, `${path}.content[${at}]`), `${path}.content[${at}]`, contents);
    }
  }
  for (const [index, entry] of (optionalList(body, 'system') ?? []).entries()) {
    optionalString(asObject(entry, `system[${index}]`), 'text', `system[${index}].text`);
  }
  const config = optionalObject(body, 'inferenceConfig') ?? {};
  for (const name of ['temperature', 'topP']) optionalNumber(config, name, `inferenceConfig.${name}`);
  optionalStrings(config, 'stopSequences', 'inferenceConfig.stopSequences');
  const output = optionalObject(body, 'outputConfig');
  return {
    model: address?.model,
    stream: address?.stream ?? false,
    maxOutputTokens: optionalWhole(config, 'maxTokens', 1, 'inferenceConfig.maxTokens'),
    choices: 1,
    endUser: undefined,
    // This format always tells.
    usageInStream: true,
    needs: {
      tools: checkTools(body),
      vision: contents.vision,
      audio: contents.audio,
      files: contents.files,
      reasoning: false,
      jsonSchema: isJsonObject(output?.textFormat),
    },
    inputUnbounded: contents.unbounded || body.promptVariables !== undefined,
    webSearchCallsMax: 0,
  };
}

const mediaKinds = { image: 'vision', video: 'vision', audio: 'audio', document: 'files' } as const;

function checkBlock(block: JsonObject, path: string, contents: Contents): void {
  optionalString(block, 'text', `${path}.text`);
  for (const [name, need] of Object.entries(mediaKinds)) {
    const media = optionalObject(block, name, `${path}.${name}`);
    if (media === undefined) continue;
    contents[need] = true;
    const source = asObject(media.source, `${path}.${name}.source`);
    optionalString(media, 'format', `${path}.${name}.format`);
    optionalString(source, 'bytes', `${path}.${name}.source.bytes`);
    if (source.s3Location !== undefined) contents.unbounded = true;
  }
  const call = optionalObject(block, 'toolUse', `${path}.toolUse`);
  if (call !== undefined) {
    requiredString(call, 'toolUseId', `${path}.toolUse.toolUseId`);
    requiredString(call, 'name', `${path}.toolUse.name`);
    optionalObject(call, 'input', `${path}.toolUse.input`);
  }
  const result = optionalObject(block, 'toolResult', `${path}.toolResult`);
  if (result === undefined) return;
  requiredString(result, 'toolUseId', `${path}.toolResult.toolUseId`);
  optionalString(result, 'status', `${path}.toolResult.status`);
  for (const [index, entry] of (optionalList(result, 'content', `${path}.toolResult.content`) ?? []).entries()) {
    const inside = `${path}.toolResult.content[${index}]`;
    checkBlock(asObject(entry, inside), inside, contents);
  }
}

function checkTools(body: JsonObject): boolean {
  const config = optionalObject(body, 'toolConfig');
  if (config === undefined) return false;
  const tools = optionalList(config, 'tools', 'toolConfig.tools') ?? [];
  for (const [index, entry] of tools.entries()) {
    const path = `toolConfig.tools[${index}]`;
    const spec = optionalObject(asObject(entry, path), 'toolSpec', `${path}.toolSpec`);
    if (spec === undefined) continue;
    requiredString(spec, 'name', `${path}.toolSpec.name`);
    optionalString(spec, 'description', `${path}.toolSpec.description`);
    const schema = optionalObject(spec, 'inputSchema', `${path}.toolSpec.inputSchema`);
    if (schema !== undefined) optionalObject(schema, 'json', `${path}.toolSpec.inputSchema.json`);
  }
  optionalObject(config, 'toolChoice', 'toolConfig.toolChoice');
  return tools.length > 0;
}
