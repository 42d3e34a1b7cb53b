import type { BodyEdits, EncodeOptions } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import { type NestedFormat, nestedEdits } from '../nested-parameters.ts';
import { camelCased } from './fields.ts';
import { encodeThinking } from './thinking.ts';

/** What stands in `generationConfig` and has a place of its own in the neutral form. */
export const neutralConfigNames: ReadonlySet<string> = new Set([
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
  'thinkingConfig',
]);

/** What stands in `generationConfig` and not beside it. */
export const configNames: ReadonlySet<string> = new Set([
  ...neutralConfigNames,
  'responseModalities',
  'speechConfig',
  'imageConfig',
  'mediaResolution',
  'audioTimestamp',
  'enableAffectiveDialog',
  'enableEnhancedCivicAnswers',
  'routingConfig',
  'modelSelectionConfig',
  'translationConfig',
  'audioTranscriptionConfig',
]);

/** Parameters that the operator may have written in the words most formats share. */
const ownNames: Readonly<Record<string, string>> = {
  max_tokens: 'maxOutputTokens',
  max_completion_tokens: 'maxOutputTokens',
  n: 'candidateCount',
  stop: 'stopSequences',
};

const format: NestedFormat = {
  member: 'generationConfig',
  names: configNames,
  maxTokens: 'maxOutputTokens',
  // The path names the model and asks for the stream.
  inAddress: new Set(['model', 'stream']),
  ownName: (name) => (Object.hasOwn(ownNames, name) ? ownNames[name]! : camelCased(name)),
};

export function passThrough(body: JsonObject, options: EncodeOptions): BodyEdits {
  return nestedEdits(body, options, {
    ...format,
    defaultFor: (name, value) =>
      name === 'reasoning_effort'
        ? ['thinkingConfig', encodeThinking({ effort: String(value) }, options.traits)]
        : undefined,
  });
}
