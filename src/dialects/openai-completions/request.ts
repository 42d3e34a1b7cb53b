import type { BodyEdits, EncodeOptions, RequestFacts } from '../../core/dialect.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { NeutralRequest } from '../../core/neutral.ts';
import {
  choices,
  malformed,
  nameOf,
  optionalBoolean,
  optionalNumber,
  optionalObject,
  optionalString,
  optionalStrings,
  optionalWhole,
  unknownMembers,
} from '../body-checks.ts';
import { crossing } from '../foreign-parameters.ts';
import { passThrough, present } from '../openai-chat/encode-request.ts';
import { inexpressible, refuseParameters, withEdits } from '../parameter-edits.ts';

const neutralFields: ReadonlySet<string> = new Set([
  'model',
  'stream',
  'stream_options',
  'prompt',
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop',
  'seed',
  'n',
  'presence_penalty',
  'frequency_penalty',
  'user',
  'logprobs',
]);

export function inspectCompletion(body: JsonObject): RequestFacts {
  const prompts = countPrompts(body.prompt);
  for (const name of ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty', 'seed'])
    optionalNumber(body, name);
  optionalStrings(body, 'stop');
  optionalBoolean(body, 'echo');
  const logprobs = body.logprobs;
  if (typeof logprobs !== 'boolean') optionalWhole(body, 'logprobs', 0);
  const answers = Math.max(choices(body, 'n'), choices(body, 'best_of'));
  return {
    model: optionalString(body, 'model'),
    stream: optionalBoolean(body, 'stream') ?? false,
    maxOutputTokens: optionalWhole(body, 'max_tokens', 0),
    choices: prompts * answers,
    endUser: optionalString(body, 'user') || undefined,
    usageInStream:
      optionalBoolean(optionalObject(body, 'stream_options') ?? {}, 'include_usage', 'stream_options.include_usage') ??
      false,
    needs: { tools: false, vision: false, audio: false, files: false, reasoning: false, jsonSchema: false },
    inputUnbounded: false,
    webSearchCallsMax: 0,
  };
}

/** A string, a list of strings, a list of tokens, or a list of lists of tokens. */
function countPrompts(prompt: Json | undefined): number {
  if (typeof prompt === 'string') return 1;
  if (!Array.isArray(prompt)) {
    throw malformed('prompt', `expected a string, a list of strings or a list of tokens, got ${nameOf(prompt)}`);
  }
  if (prompt.length === 0) throw malformed('prompt', 'the list is empty: at least one entry is needed');
  const isTokens = (entry: Json) => Array.isArray(entry) && entry.every(Number.isSafeInteger);
  if (prompt.every((entry) => Number.isSafeInteger(entry))) return 1;
  if (prompt.every((entry) => typeof entry === 'string') || prompt.every(isTokens)) return prompt.length;
  throw malformed('prompt', 'all entries must be strings, or all tokens, or all lists of tokens');
}

/** The prompt becomes one message of a user. Throws for prompts that no conversation can hold. */
export function decodeCompletion(body: JsonObject): NeutralRequest {
  const facts = inspectCompletion(body);
  const prompt = Array.isArray(body.prompt) && body.prompt.length === 1 ? body.prompt[0] : body.prompt;
  if (typeof prompt !== 'string') {
    throw malformed(
      'prompt',
      'this model takes one prompt of text a request: several prompts and tokens are not supported',
    );
  }
  const logprobs = typeof body.logprobs === 'number' ? { topLogprobs: body.logprobs } : undefined;
  return {
    model: facts.model ?? '',
    stream: facts.stream,
    system: [],
    messages: [{ role: 'user', content: [{ type: 'text', text: prompt }] }],
    tools: [],
    toolChoice: undefined,
    parallelToolCalls: undefined,
    maxOutputTokens: facts.maxOutputTokens,
    temperature: optionalNumber(body, 'temperature'),
    topP: optionalNumber(body, 'top_p'),
    topK: optionalNumber(body, 'top_k'),
    stop: optionalStrings(body, 'stop'),
    seed: optionalNumber(body, 'seed'),
    choices: optionalNumber(body, 'n'),
    presencePenalty: optionalNumber(body, 'presence_penalty'),
    frequencyPenalty: optionalNumber(body, 'frequency_penalty'),
    responseFormat: undefined,
    reasoning: undefined,
    endUser: facts.endUser,
    logprobs,
    serviceTier: undefined,
    includeUsageInStream: facts.usageInStream,
    extra: unknownMembers(body, neutralFields),
  };
}

/** Only what fits into one prompt; wishes for reasoning or a service tier are left out. */
export function encodeCompletion(request: NeutralRequest, options: EncodeOptions): JsonObject {
  const { passed, refused } = crossing(request.extra, { own: ['openai', 'chat', 'completion'] }, options);
  if (request.tools.length > 0) refused.push('tools');
  if (request.responseFormat !== undefined && request.responseFormat.type !== 'text') refused.push('response_format');
  refuseParameters(refused, options);
  const body: JsonObject = {
    ...passed,
    model: request.model,
    prompt: promptOf(request),
    ...(request.stream ? { stream: true } : {}),
    ...(request.includeUsageInStream ? { stream_options: { include_usage: true } } : {}),
    ...present('max_tokens', request.maxOutputTokens),
    ...present('temperature', request.temperature),
    ...present('top_p', request.topP),
    ...present('top_k', request.topK),
    ...(request.stop.length > 0 ? { stop: request.stop } : {}),
    ...present('seed', request.seed),
    ...present('n', request.choices),
    ...present('presence_penalty', request.presencePenalty),
    ...present('frequency_penalty', request.frequencyPenalty),
    ...present('user', request.endUser),
    ...present('logprobs', request.logprobs === undefined ? undefined : (request.logprobs.topLogprobs ?? 0)),
  };
  return withEdits(body, completionPassThrough(body, options));
}

/** This format knows one name for the cap only. */
export function completionPassThrough(body: JsonObject, options: EncodeOptions): BodyEdits {
  const { traits } = options;
  return passThrough(
    body,
    traits.reasoningModel ? { ...options, traits: { ...traits, reasoningModel: false } } : options,
  );
}

function promptOf(request: NeutralRequest): string {
  const [message] = request.messages;
  const isOneTurn = request.system.length === 0 && request.messages.length === 1 && message?.role === 'user';
  if (!isOneTurn) throw inexpressible('conversations: it completes one text, so send a single user message');
  const texts = message.content.map((block) => {
    if (block.type !== 'text') throw inexpressible(`content of type ${block.type}`);
    return block.text;
  });
  return texts.join('\n');
}
