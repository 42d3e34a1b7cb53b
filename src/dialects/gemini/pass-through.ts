import type { BodyEdits, EncodeOptions } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { openaiParameters } from '../foreign-parameters.ts';
import { unsupportedParameters } from '../parameter-edits.ts';
import { camelCased, field, nameIn } from './fields.ts';
import { encodeThinking } from './thinking.ts';

/** What stands in `generationConfig` and not beside it. */
export const configNames: ReadonlySet<string> = new Set([
  'temperature',
  'topP',
  'topK',
  'candidateCount',
  'maxOutputTokens',
  'stopSequences',
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'responseLogprobs',
  'logprobs',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  'responseModalities',
  'thinkingConfig',
  'speechConfig',
  'imageConfig',
  'mediaResolution',
  'audioTimestamp',
  'enableAffectiveDialog',
  'enableEnhancedCivicAnswers',
  'routingConfig',
  'modelSelectionConfig',
  'translationConfig',
]);

/** Parameters that the operator may have written in the words most formats share. */
const ownNames: Readonly<Record<string, string>> = {
  max_tokens: 'maxOutputTokens',
  max_completion_tokens: 'maxOutputTokens',
  n: 'candidateCount',
  stop: 'stopSequences',
};

const meansNothing: ReadonlySet<string> = new Set([
  ...openaiParameters.hints,
  ...openaiParameters.features,
  ...['user', 'stream', 'parallel_tool_calls', 'functions', 'function_call', 'tool_choice', 'response_format'],
]);

function ownName(name: string): string {
  return Object.hasOwn(ownNames, name) ? ownNames[name]! : camelCased(name);
}

/** The rules of a deployment over a body in this format, most of whose parameters stand one level down. */
export function passThrough(body: JsonObject, options: EncodeOptions): BodyEdits {
  const edits = new Map<string, unknown>();
  // The path names the model and asks for the stream.
  for (const name of Object.keys(body)) {
    if (name === 'model' || name === 'stream' || options.gatewayFields.has(name)) edits.set(name, undefined);
  }
  const given = field(body, 'generationConfig');
  const config = new Map<string, unknown>(isJsonObject(given) ? Object.entries(given) : []);
  const keyOf = (name: string) => [...config.keys()].find((key) => camelCased(key) === name);
  let changed = false;
  const setConfig = (name: string, value: unknown) => {
    const key = keyOf(name) ?? name;
    if (value === undefined ? !config.has(key) : config.get(key) === value) return;
    changed = true;
    if (value === undefined) config.delete(key);
    else config.set(key, value);
  };

  for (const [name, value] of Object.entries(options.defaults)) {
    const own = ownName(name);
    if (name === 'reasoning_effort') {
      const thinking = encodeThinking({ effort: String(value) }, options.traits);
      if (keyOf('thinkingConfig') === undefined) setConfig('thinkingConfig', thinking);
    } else if (meansNothing.has(name)) {
      // Left out without a word, like every default that a provider does not know.
    } else if (configNames.has(own)) {
      const isMissing = keyOf(own) === undefined;
      if (isMissing) setConfig(own, own === 'stopSequences' && typeof value === 'string' ? [value] : value);
    } else if (field(body, own) === undefined) edits.set(own, value);
  }
  const clamp = options.maxOutputTokensClamp;
  if (clamp !== undefined) {
    const cap = config.get(keyOf('maxOutputTokens') ?? '');
    setConfig('maxOutputTokens', typeof cap === 'number' ? Math.min(cap, clamp) : clamp);
  }
  const drop = (name: string) => {
    const own = ownName(name);
    if (configNames.has(own)) setConfig(own, undefined);
    else if (field(body, own) !== undefined || edits.has(own)) edits.set(nameIn(body, own), undefined);
  };
  const refused = options.traits.unsupportedParams.filter((name) => {
    if (options.allowedParams.includes(name) || options.additionalDropParams.includes(name)) return false;
    const own = ownName(name);
    return configNames.has(own) ? keyOf(own) !== undefined : field(body, own) !== undefined;
  });
  if (refused.length > 0 && !options.dropParams) throw unsupportedParameters(refused);
  for (const name of [...refused, ...options.additionalDropParams]) drop(name);
  for (const [name, value] of Object.entries(options.extraBody)) {
    if (ownName(name) === 'generationConfig' && isJsonObject(value)) {
      for (const [key, one] of Object.entries(value)) setConfig(camelCased(key), one);
    } else if (configNames.has(ownName(name))) setConfig(ownName(name), value);
    else edits.set(nameIn(body, camelCased(name)), value);
  }
  if (changed) {
    const key = nameIn(body, 'generationConfig');
    edits.set(key, config.size === 0 ? undefined : Object.fromEntries(config));
  }
  return edits;
}
