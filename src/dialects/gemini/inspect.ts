import type { CallAddress, RequestFacts } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import { asObject, malformed, nameOf } from '../body-checks.ts';
import { type Contents, nothingSeen, requiredRole } from '../inspected.ts';
import { booleanField, field, listField, numberField, objectField, stringField, wholeField } from './fields.ts';

const candidatesMax = 1_024;

/** Checks every field whose type the format fixes; fields and kinds of parts it does not know pass. */
export function inspectGenerate(body: JsonObject, address?: CallAddress): RequestFacts {
  const contents = nothingSeen();
  const list = field(body, 'contents');
  if (!Array.isArray(list)) throw malformed('contents', `expected a list, got ${nameOf(list)}`);
  if (list.length === 0) throw malformed('contents', 'the list is empty: at least one entry is needed');
  for (const [index, entry] of list.entries()) checkContent(asObject(entry, `contents[${index}]`), index, contents);
  const system = objectField(body, 'systemInstruction', 'systemInstruction');
  if (system !== undefined) checkParts(system, 'systemInstruction', contents);
  const config = objectField(body, 'generationConfig', 'generationConfig') ?? {};
  const path = (name: string) => `generationConfig.${name}`;
  for (const name of ['temperature', 'topP', 'topK', 'seed', 'presencePenalty', 'frequencyPenalty', 'logprobs']) {
    numberField(config, name, path(name));
  }
  for (const [index, text] of listField(config, 'stopSequences', path('stopSequences')).entries()) {
    if (typeof text !== 'string') throw malformed(path(`stopSequences[${index}]`), 'expected a string');
  }
  checkThinking(config);
  stringField(config, 'responseMimeType', path('responseMimeType'));
  for (const name of ['responseSchema', 'responseJsonSchema']) objectField(config, name, path(name));
  const choices = wholeField(config, 'candidateCount', path('candidateCount'), 1) ?? 1;
  if (choices > candidatesMax) {
    throw malformed(path('candidateCount'), `expected a whole number from 1 to ${candidatesMax}`);
  }
  const tools = checkTools(body);
  return {
    model: address?.model,
    stream: address?.stream ?? false,
    maxOutputTokens: wholeField(config, 'maxOutputTokens', path('maxOutputTokens'), 1),
    choices,
    endUser: undefined,
    // This format always tells.
    usageInStream: true,
    needs: {
      tools: tools.declared,
      vision: contents.vision,
      audio: contents.audio,
      files: contents.files,
      // Thinking is left out where a model cannot: no reason to look for another.
      reasoning: false,
      jsonSchema: field(config, 'responseSchema') !== undefined || field(config, 'responseJsonSchema') !== undefined,
    },
    inputUnbounded: contents.unbounded || tools.unbounded || field(body, 'cachedContent') !== undefined,
    webSearchCallsMax: tools.searches ? undefined : 0,
  };
}

function checkThinking(config: JsonObject): void {
  const path = 'generationConfig.thinkingConfig';
  const thinking = objectField(config, 'thinkingConfig', path);
  if (thinking === undefined) return;
  numberField(thinking, 'thinkingBudget', `${path}.thinkingBudget`);
  stringField(thinking, 'thinkingLevel', `${path}.thinkingLevel`);
  booleanField(thinking, 'includeThoughts', `${path}.includeThoughts`);
}

const roles = ['user', 'model'];
const olderRoles = [undefined, 'function', 'tool', 'system'];

function checkContent(content: JsonObject, index: number, contents: Contents): void {
  requiredRole(field(content, 'role'), `contents[${index}].role`, roles, olderRoles);
  checkParts(content, `contents[${index}]`, contents);
}

function checkParts(content: JsonObject, path: string, contents: Contents): void {
  for (const [index, entry] of listField(content, 'parts', `${path}.parts`).entries()) {
    checkPart(asObject(entry, `${path}.parts[${index}]`), `${path}.parts[${index}]`, contents);
  }
}

function checkPart(part: JsonObject, path: string, contents: Contents): void {
  stringField(part, 'text', `${path}.text`);
  stringField(part, 'thoughtSignature', `${path}.thoughtSignature`);
  const inline = objectField(part, 'inlineData', `${path}.inlineData`);
  if (inline !== undefined) {
    if (stringField(inline, 'data', `${path}.inlineData.data`) === undefined) {
      throw malformed(`${path}.inlineData.data`, 'expected base64, got nothing');
    }
    const mediaType = stringField(inline, 'mimeType', `${path}.inlineData.mimeType`);
    if (mediaType === undefined) throw malformed(`${path}.inlineData.mimeType`, 'expected a string, got nothing');
    noteMedia(mediaType, contents);
  }
  const file = objectField(part, 'fileData', `${path}.fileData`);
  if (file !== undefined) {
    if (stringField(file, 'fileUri', `${path}.fileData.fileUri`) === undefined) {
      throw malformed(`${path}.fileData.fileUri`, 'expected an address, got nothing');
    }
    contents.unbounded = true;
    noteMedia(stringField(file, 'mimeType', `${path}.fileData.mimeType`) ?? '', contents);
  }
  for (const name of ['functionCall', 'functionResponse']) {
    const call = objectField(part, name, `${path}.${name}`);
    if (call === undefined) continue;
    if (stringField(call, 'name', `${path}.${name}.name`) === undefined) {
      throw malformed(`${path}.${name}.name`, 'expected a string, got nothing');
    }
    stringField(call, 'id', `${path}.${name}.id`);
    const inside = name === 'functionCall' ? 'args' : 'response';
    objectField(call, inside, `${path}.${name}.${inside}`);
  }
}

function noteMedia(mediaType: string, contents: Contents): void {
  if (mediaType.startsWith('image/') || mediaType.startsWith('video/')) contents.vision = true;
  else if (mediaType.startsWith('audio/')) contents.audio = true;
  else contents.files = true;
}

interface ToolFacts {
  readonly declared: boolean;
  /** Tools that the provider runs feed the model more input than the caller sent. */
  readonly unbounded: boolean;
  readonly searches: boolean;
}

const searchTools = ['googleSearch', 'googleSearchRetrieval', 'enterpriseWebSearch', 'googleMaps'];

function checkTools(body: JsonObject): ToolFacts {
  const tools = listField(body, 'tools', 'tools');
  let searches = false;
  let unbounded = false;
  for (const [index, entry] of tools.entries()) {
    const tool = asObject(entry, `tools[${index}]`);
    const path = `tools[${index}].functionDeclarations`;
    const declared = listField(tool, 'functionDeclarations', path);
    for (const [at, declaration] of declared.entries()) {
      const one = asObject(declaration, `${path}[${at}]`);
      if (stringField(one, 'name', `${path}[${at}].name`) === undefined) {
        throw malformed(`${path}[${at}].name`, 'expected a string, got nothing');
      }
      stringField(one, 'description', `${path}[${at}].description`);
      for (const name of ['parameters', 'parametersJsonSchema']) objectField(one, name, `${path}[${at}].${name}`);
    }
    if (searchTools.some((name) => field(tool, name) !== undefined)) searches = true;
    const isHosted = Object.keys(tool).some(
      (name) => name !== 'functionDeclarations' && name !== 'function_declarations',
    );
    if (isHosted) unbounded = true;
  }
  const toolConfig = objectField(body, 'toolConfig', 'toolConfig');
  const calling = toolConfig && objectField(toolConfig, 'functionCallingConfig', 'toolConfig.functionCallingConfig');
  if (calling !== undefined) stringField(calling, 'mode', 'toolConfig.functionCallingConfig.mode');
  return { declared: tools.length > 0, unbounded, searches };
}
