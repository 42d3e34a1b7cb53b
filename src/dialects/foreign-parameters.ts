import type { EncodeOptions } from '../core/dialect.ts';
import type { JsonObject } from '../core/json.ts';

/**
 * Parameters of one wire format that another does not have. Hints may be left out without changing what is asked; the
 * rest is refused, or dropped where the operator allows it. What is in neither list is unknown to us and travels on, unless
 * the format it goes to is known to take nothing else.
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
    'metadata',
  ]),
  features: new Set(['logit_bias', 'modalities', 'audio', 'prediction', 'store', 'verbosity', 'moderation']),
};

/** What chat completions have and Responses, of the same provider, have not. */
const chatParameters: ForeignParameters = {
  hints: new Set(['stream_options', 'reasoning_content']),
  features: new Set(['logit_bias', 'modalities', 'audio', 'prediction']),
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
    'compaction',
    'billing_policy',
    'fallback_credit_token',
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
  features: new Set(['container', 'mcp_servers', 'thread']),
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
  features: new Set([
    'cachedContent',
    'modelArmorConfig',
    'responseModalities',
    'speechConfig',
    'imageConfig',
    'translationConfig',
  ]),
};

/** What Amazon's Converse has beyond the model's own fields. */
const bedrockParameters: ForeignParameters = {
  hints: new Set(['requestMetadata', 'performanceConfig', 'additionalModelResponseFieldPaths']),
  features: new Set(['guardrailConfig', 'promptVariables']),
};

const everybodys = {
  openai: openaiParameters,
  chat: chatParameters,
  completion: completionParameters,
  responses: responsesParameters,
  anthropic: anthropicParameters,
  gemini: geminiParameters,
  bedrock: bedrockParameters,
  cohere: cohereParameters,
  ollama: ollamaParameters,
} as const;

/** What says the conversation, or how it is asked for, in one format or another: in a foreign one it must not say it over. */
const conversation: ReadonlySet<string> = new Set(
  `model modelId stream messages system tools functions input instructions contents systemInstruction system_instruction
   message chat_history preamble inputText toolConfig tool_config`.split(/\s+/),
);

/** Whether a member would say the conversation in some format: it is never let through. */
export function saysConversation(name: string): boolean {
  return conversation.has(name);
}

interface CrossingTo {
  /** The kinds of parameters that the format has. */
  readonly own: readonly (keyof typeof everybodys)[];
  /** For a format whose provider refuses, or does not see, whatever else is written: does it know this name? */
  readonly knows?: (name: string) => boolean;
}

/** What of `extra` may go to another format, and the names that cannot. `false` and null ask for nothing. */
export function crossing(
  extra: JsonObject,
  { own, knows }: CrossingTo,
  { allowedParams, isOwnFormat = false }: EncodeOptions,
): { passed: JsonObject; refused: string[] } {
  const names = Object.keys(everybodys) as (keyof typeof everybodys)[];
  const foreign = names.filter((name) => !own.includes(name)).map((name) => everybodys[name]);
  const isRefused = (name: string) =>
    conversation.has(name) ||
    foreign.some(({ features }) => features.has(name)) ||
    (knows !== undefined && !isOwnFormat && !knows(name) && !foreign.some(({ hints }) => hints.has(name)));
  const refused: string[] = [];
  const passed = Object.entries(extra).filter(([name, value]) => {
    if (allowedParams.includes(name) && !conversation.has(name)) return true;
    if (isRefused(name)) {
      if (value !== null && value !== false) refused.push(name);
      return false;
    }
    return !foreign.some(({ hints }) => hints.has(name));
  });
  return { passed: Object.fromEntries(passed), refused };
}
