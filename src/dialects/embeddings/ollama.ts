import type { JsonObject } from '../../core/json.ts';
import type { EmbeddingRequest, EmbeddingResponse } from '../../core/neutral-tasks.ts';
import { noUsage, totalInputTokens } from '../../core/usage.ts';
import { optionalBoolean, optionalString, optionalWhole, requiredString, unknownMembers } from '../body-checks.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { count } from '../openai-chat/usage.ts';
import { given, leaveOut, type TaskFormat } from '../task-dialect.ts';
import { inputsOf, textsOf } from './inputs.ts';
import { vectorOf, vectorsAs } from './vectors.ts';

type Format = TaskFormat<EmbeddingRequest, EmbeddingResponse>;

const fields: ReadonlySet<string> = new Set(['model', 'input', 'dimensions', 'truncate']);

function plain(body: JsonObject, inputs: EmbeddingRequest['inputs']): EmbeddingRequest {
  return {
    model: optionalString(body, 'model') ?? '',
    inputs,
    dimensions: undefined,
    encodings: [],
    purpose: undefined,
    truncate: undefined,
    endUser: undefined,
    extra: {},
  };
}

/** https://github.com/ollama/ollama/blob/main/docs/api.md#generate-embeddings */
export const ollamaEmbed: Format = {
  name: 'ollama-embed',
  operation: 'embedding',
  inspect: (body) => {
    inputsOf(body.input, 'input');
    optionalWhole(body, 'dimensions', 1);
    return { model: optionalString(body, 'model') };
  },
  decodeRequest: (body) => {
    const truncate = optionalBoolean(body, 'truncate');
    return {
      ...plain(body, inputsOf(body.input, 'input')),
      dimensions: optionalWhole(body, 'dimensions', 1),
      truncate: truncate === undefined ? undefined : truncate ? 'end' : 'none',
      extra: unknownMembers(body, fields),
    };
  },
  encodeRequest: (request, options) => {
    const strange = request.encodings.filter((name) => name !== 'float' && name !== 'base64');
    leaveOut(options, {
      encoding_format: strange.length > 0 ? strange : undefined,
      truncate: request.truncate === 'start' ? 'start' : undefined,
    });
    const truncate = request.truncate === undefined ? undefined : request.truncate !== 'none';
    return {
      ...request.extra,
      ...given({ model: request.model, input: textsOf(request.inputs), dimensions: request.dimensions, truncate }),
    };
  },
  decodeResponse: (body) => {
    if (!Array.isArray(body.embeddings)) throw notAnAnswer('embeddings');
    const tokens = count(body.prompt_eval_count);
    return {
      id: '',
      model: typeof body.model === 'string' ? body.model : '',
      vectors: { float: body.embeddings.map((vector, index) => vectorOf(vector, `embeddings[${index}]`)) },
      usage: tokens > 0 ? { ...noUsage, inputTokens: tokens } : undefined,
      extra: {},
    };
  },
  encodeResponse: (response, options) => ({
    model: options.model ?? response.model,
    embeddings: vectorsAs('float', response.vectors),
    ...(response.usage === undefined ? {} : { prompt_eval_count: totalInputTokens(response.usage) }),
  }),
};

/** The older path: one text in, one vector out. */
export const ollamaEmbeddings: Format = {
  name: 'ollama-embeddings',
  operation: 'embedding',
  inspect: (body) => {
    requiredString(body, 'prompt');
    return { model: optionalString(body, 'model') };
  },
  decodeRequest: (body) => plain(body, [{ type: 'text', text: requiredString(body, 'prompt') }]),
  encodeRequest: (request) => ({ model: request.model, prompt: textsOf(request.inputs)[0] ?? '' }),
  decodeResponse: (body) => ({
    id: '',
    model: '',
    vectors: { float: [vectorOf(body.embedding, 'embedding')] },
    usage: undefined,
    extra: {},
  }),
  encodeResponse: (response) => ({ embedding: vectorsAs('float', response.vectors)[0] ?? [] }),
};
