import type { Dialect, EncodeOptions, RequestFacts, ResponseFacts } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { NeutralRequest, NeutralResponse } from '../../core/neutral.ts';
import { asObject, malformed, nameOf, optionalString, optionalWhole, unknownMembers } from '../body-checks.ts';
import { factsOf } from '../error-facts.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { openaiErrors } from '../openai-chat/errors.ts';
import { isError } from '../openai-chat/relay.ts';
import { decodeUsage, encodeUsage } from '../openai-chat/usage.ts';
import { parameterEdits, withEdits } from '../parameter-edits.ts';

const format = { maxTokensNames: [], maxTokensRequired: false };

/**
 * A string, a list of strings, a list of tokens, or a list of lists of tokens; objects are multimodal inputs of other
 * servers.
 */
function checkInput(input: Json | undefined): void {
  if (typeof input === 'string') return;
  if (!Array.isArray(input)) {
    throw malformed('input', `expected a string, a list of strings or a list of tokens, got ${nameOf(input)}`);
  }
  if (input.length === 0) throw malformed('input', 'the list is empty: at least one entry is needed');
  const kind = typeof input[0];
  for (const [index, entry] of input.entries()) {
    if (typeof entry !== kind) throw malformed(`input[${index}]`, 'all entries must be of the same kind');
    if (kind === 'number') {
      if (!Number.isSafeInteger(entry)) throw malformed(`input[${index}]`, 'expected a token: a whole number');
    } else if (Array.isArray(entry)) {
      if (!entry.every(Number.isSafeInteger)) throw malformed(`input[${index}]`, 'expected a list of whole numbers');
    } else if (kind !== 'string') asObject(entry, `input[${index}]`);
  }
}

function inspect(body: JsonObject): RequestFacts {
  checkInput(body.input);
  optionalWhole(body, 'dimensions', 1);
  optionalString(body, 'encoding_format');
  const isMultimodal = Array.isArray(body.input) && isJsonObject(body.input[0]);
  return {
    model: optionalString(body, 'model'),
    stream: false,
    // Nothing is generated.
    maxOutputTokens: 0,
    choices: 1,
    endUser: optionalString(body, 'user') || undefined,
    usageInStream: false,
    needs: { tools: false, vision: false, audio: false, files: false, reasoning: false, jsonSchema: false },
    inputUnbounded: isMultimodal,
    webSearchCallsMax: 0,
  };
}

const neutralRequestFields: ReadonlySet<string> = new Set(['model', 'user']);

/** Only one format of embeddings is known: the neutral form carries its fields as they are. */
function decodeRequest(body: JsonObject): NeutralRequest {
  const facts = inspect(body);
  return {
    model: facts.model ?? '',
    stream: false,
    system: [],
    messages: [],
    tools: [],
    toolChoice: undefined,
    parallelToolCalls: undefined,
    maxOutputTokens: undefined,
    temperature: undefined,
    topP: undefined,
    topK: undefined,
    stop: [],
    seed: undefined,
    choices: undefined,
    presencePenalty: undefined,
    frequencyPenalty: undefined,
    responseFormat: undefined,
    reasoning: undefined,
    endUser: facts.endUser,
    logprobs: undefined,
    serviceTier: undefined,
    includeUsageInStream: false,
    extra: unknownMembers(body, neutralRequestFields),
  };
}

function encodeRequest(request: NeutralRequest, options: EncodeOptions): JsonObject {
  const user = request.endUser === undefined ? {} : { user: request.endUser };
  const body: JsonObject = { model: request.model, ...user, ...request.extra };
  return withEdits(body, parameterEdits(body, options, format));
}

function answerOf(body: JsonObject): Json[] {
  if (isError(body)) {
    throw new GatewayError('upstream_error', factsOf(body).message ?? 'The provider answered with an error.');
  }
  if (!Array.isArray(body.data)) throw notAnAnswer('data');
  return body.data;
}

function read(body: JsonObject): ResponseFacts {
  answerOf(body);
  return {
    id: typeof body.id === 'string' ? body.id : undefined,
    model: typeof body.model === 'string' ? body.model : undefined,
    usage: decodeUsage(body.usage),
    finishReason: null,
    outputBytes: 0,
  };
}

const neutralAnswerFields: ReadonlySet<string> = new Set(['id', 'object', 'created', 'model', 'usage']);

function decodeAnswer(body: JsonObject): NeutralResponse {
  const facts = read(body);
  return {
    id: facts.id ?? '',
    model: facts.model ?? '',
    createdAt: typeof body.created === 'number' ? body.created : undefined,
    choices: [],
    usage: facts.usage,
    extra: unknownMembers(body, neutralAnswerFields),
  };
}

function neverStreams(): never {
  throw new GatewayError('malformed_request', 'stream: embeddings do not stream', { param: 'stream' });
}

/** https://platform.openai.com/docs/api-reference/embeddings */
export const openaiEmbeddings: Dialect = Object.freeze({
  name: 'openai-embeddings',
  operation: 'embedding',
  inspect,
  request: { decode: decodeRequest, encode: encodeRequest },
  passThrough: (body, options) => parameterEdits(body, options, format),
  response: {
    decode: decodeAnswer,
    encode: (response, options) => ({
      object: 'list',
      ...(response.id === '' ? {} : { id: response.id }),
      ...(response.createdAt === undefined ? {} : { created: response.createdAt }),
      ...response.extra,
      model: options.model ?? response.model,
      ...(response.usage === undefined ? {} : { usage: encodeUsage(response.usage) }),
    }),
    read,
  },
  relay: neverStreams,
  streamDecoder: neverStreams,
  streamEncoder: neverStreams,
  errors: openaiErrors,
  heartbeat: null,
  streamContentType: null,
} satisfies Dialect);
