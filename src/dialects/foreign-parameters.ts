import type { JsonObject } from '../core/json.ts';

/**
 * Parameters of one wire format that another does not have. Hints may be left out without changing what is asked; the
 * rest is refused, or dropped where the operator allows it. What is in neither list is unknown to us and travels on.
 */
interface ForeignParameters {
  readonly hints: ReadonlySet<string>;
  readonly features: ReadonlySet<string>;
}

export const openaiParameters: ForeignParameters = {
  hints: new Set([
    'stream_options',
    'prompt_cache_key',
    'prompt_cache_retention',
    'prompt_cache_options',
    'safety_identifier',
    'prediction',
    'metadata',
  ]),
  features: new Set(['logit_bias', 'modalities', 'audio', 'store', 'verbosity', 'moderation']),
};

/** What chat completions have and Responses, of the same provider, have not. */
const chatParameters: ForeignParameters = {
  hints: new Set(['stream_options', 'prediction', 'reasoning_content']),
  features: new Set(['logit_bias', 'modalities', 'audio']),
};

/** What Responses have and other formats have not. */
const responsesParameters: ForeignParameters = {
  hints: new Set(['include', 'truncation', 'client_metadata']),
  features: new Set(['prompt', 'max_tool_calls']),
};

/** What Cohere's chat has beyond others. */
const cohereParameters: ForeignParameters = {
  hints: new Set(['safety_mode', 'citation_options', 'priority']),
  features: new Set(['documents']),
};

/** What Ollama's own formats have beyond others: how its server keeps and loads a model. */
const ollamaParameters: ForeignParameters = {
  hints: new Set(['keep_alive', 'options']),
  features: new Set(['raw', 'template', 'context', 'images']),
};

/** What text completions have beyond chat. */
const completionParameters: ForeignParameters = {
  hints: new Set(),
  features: new Set(['suffix', 'echo', 'best_of']),
};

const anthropicParameters: ForeignParameters = {
  hints: new Set([
    'cache_control',
    'context_management',
    'diagnostics',
    'inference_geo',
    'speed',
    'anthropic_version',
    'anthropic_beta',
    'betas',
    'metadata',
    'user_profile_id',
    'workspace_id',
  ]),
  features: new Set(['container', 'mcp_servers']),
};

export const geminiParameters: ForeignParameters = {
  hints: new Set([
    'safetySettings',
    'labels',
    'mediaResolution',
    'audioTimestamp',
    'routingConfig',
    'modelSelectionConfig',
    'enableEnhancedCivicAnswers',
    'enableAffectiveDialog',
  ]),
  features: new Set(['cachedContent', 'responseModalities', 'speechConfig', 'imageConfig', 'translationConfig']),
};

const everybodys = {
  openai: openaiParameters,
  chat: chatParameters,
  completion: completionParameters,
  responses: responsesParameters,
  anthropic: anthropicParameters,
  gemini: geminiParameters,
  cohere: cohereParameters,
  ollama: ollamaParameters,
} as const;

/**
 * What of `extra` may go to a format whose own parameters are of these kinds, and the names that cannot. `false` and null
 * ask for nothing.
 */
export function crossing(
  extra: JsonObject,
  own: readonly (keyof typeof everybodys)[],
): { passed: JsonObject; refused: string[] } {
  const names = Object.keys(everybodys) as (keyof typeof everybodys)[];
  const foreign = names.filter((name) => !own.includes(name)).map((name) => everybodys[name]);
  const refused: string[] = [];
  const passed = Object.entries(extra).filter(([name, value]) => {
    if (foreign.some(({ features }) => features.has(name))) {
      if (value !== null && value !== false) refused.push(name);
      return false;
    }
    return !foreign.some(({ hints }) => hints.has(name));
  });
  return { passed: Object.fromEntries(passed), refused };
}
