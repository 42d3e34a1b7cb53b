import type { RequestFacts } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import {
  asObject,
  asString,
  malformed,
  optionalBoolean,
  optionalList,
  optionalNumber,
  optionalObject,
  optionalString,
  optionalStrings,
  requiredString,
} from '../body-checks.ts';
import { requiredRole } from '../inspected.ts';
import { soundIn } from './sound.ts';

const roles = ['system', 'user', 'assistant', 'tool'];

/** Checks every field whose type the format fixes; fields it does not know pass. */
export function inspectChat(body: JsonObject): RequestFacts {
  const media: Media = { vision: false, audio: false };
  for (const [index, entry] of (optionalList(body, 'messages') ?? []).entries()) {
    const path = `messages[${index}]`;
    const message = asObject(entry, path);
    requiredRole(message.role, `${path}.role`, roles);
    optionalString(message, 'content', `${path}.content`);
    optionalString(message, 'thinking', `${path}.thinking`);
    optionalString(message, 'tool_name', `${path}.tool_name`);
    lookForMedia(message, path, media);
    for (const [place, call] of (optionalList(message, 'tool_calls', `${path}.tool_calls`) ?? []).entries()) {
      const at = `${path}.tool_calls[${place}]`;
      const called = asObject(asObject(call, at).function, `${at}.function`);
      requiredString(called, 'name', `${at}.function.name`);
      asObject(called.arguments ?? {}, `${at}.function.arguments`);
    }
  }
  if ((optionalList(body, 'messages') ?? []).length === 0) {
    throw malformed('messages', 'the list is empty: at least one message is needed');
  }
  return factsOf(body, media, checkTools(body));
}

export function inspectGenerate(body: JsonObject): RequestFacts {
  const prompt = optionalString(body, 'prompt') ?? '';
  optionalString(body, 'system');
  optionalString(body, 'suffix');
  const media: Media = { vision: false, audio: false };
  lookForMedia(body, '', media);
  if (prompt === '' && !media.vision && !media.audio) throw malformed('prompt', 'expected a text');
  return factsOf(body, media, false);
}

interface Media {
  vision: boolean;
  audio: boolean;
}

function lookForMedia(holder: JsonObject, path: string, media: Media): void {
  const at = path === '' ? 'images' : `${path}.images`;
  for (const [index, image] of (optionalList(holder, 'images', at) ?? []).entries()) {
    if (soundIn(asString(image, `${at}[${index}]`)) === null) media.vision = true;
    else media.audio = true;
  }
}

function checkTools(body: JsonObject): boolean {
  const tools = optionalList(body, 'tools') ?? [];
  for (const [index, entry] of tools.entries()) {
    const path = `tools[${index}]`;
    const definition = asObject(asObject(entry, path).function, `${path}.function`);
    requiredString(definition, 'name', `${path}.function.name`);
    optionalString(definition, 'description', `${path}.function.description`);
    optionalObject(definition, 'parameters', `${path}.function.parameters`);
  }
  return tools.length > 0;
}

function factsOf(body: JsonObject, { vision, audio }: Media, tools: boolean): RequestFacts {
  const options = optionalObject(body, 'options') ?? {};
  for (const name of ['temperature', 'top_p', 'top_k', 'seed', 'presence_penalty', 'frequency_penalty']) {
    optionalNumber(options, name, `options.${name}`);
  }
  optionalStrings(options, 'stop', 'options.stop');
  const { format, think, keep_alive: kept } = body;
  if (kept !== undefined && kept !== null && typeof kept !== 'string' && typeof kept !== 'number') {
    throw malformed('keep_alive', 'expected a duration such as "5m", or seconds');
  }
  if (format !== undefined && format !== null && format !== '' && format !== 'json' && !isJsonObject(format)) {
    throw malformed('format', 'expected "json" or a JSON schema');
  }
  if (think !== undefined && think !== null && typeof think !== 'boolean' && typeof think !== 'string') {
    throw malformed('think', 'expected true, false or an effort such as "high"');
  }
  return {
    model: optionalString(body, 'model'),
    // This format streams unless it is told not to.
    stream: optionalBoolean(body, 'stream') ?? true,
    maxOutputTokens: predictionsOf(options),
    choices: 1,
    endUser: undefined,
    usageInStream: true,
    needs: {
      tools,
      vision,
      audio,
      files: false,
      reasoning: think !== undefined && think !== null && think !== false,
      jsonSchema: isJsonObject(format),
    },
    inputUnbounded: false,
    webSearchCallsMax: 0,
  };
}

/** Less than 1 stands for no limit. */
export function predictionsOf(options: JsonObject): number | undefined {
  const most = optionalNumber(options, 'num_predict', 'options.num_predict');
  if (most !== undefined && !Number.isSafeInteger(most))
    throw malformed('options.num_predict', 'expected a whole number');
  return most === undefined || most < 1 ? undefined : most;
}
