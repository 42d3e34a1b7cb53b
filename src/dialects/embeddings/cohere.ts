import type { EncodeOptions } from '../../core/dialect.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { EmbeddingInput, EmbeddingRequest, EmbeddingResponse, EmbeddingVector } from '../../core/neutral-tasks.ts';
import { noUsage, totalInputTokens, type Usage } from '../../core/usage.ts';
import { converseErrors } from '../bedrock-converse/errors.ts';
import { asString, malformed, optionalString, optionalStrings, optionalWhole, unknownMembers } from '../body-checks.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { count } from '../openai-chat/usage.ts';
import { given, type TaskFormat } from '../task-dialect.ts';
import { dataUrlOf, inputsOf, sourceOf, textsOf } from './inputs.ts';
import { purposeOf } from './purposes.ts';
import { vectorOf, vectorsAs } from './vectors.ts';

type Format = TaskFormat<EmbeddingRequest, EmbeddingResponse>;

const purposeWords = {
  query: 'search_query',
  document: 'search_document',
  classification: 'classification',
  clustering: 'clustering',
  similarity: 'clustering',
  image: 'image',
} as const;

const fields: ReadonlySet<string> = new Set([
  'model',
  'texts',
  'images',
  'inputs',
  'input_type',
  'embedding_types',
  'output_dimension',
  'truncate',
]);

/** One of `texts`, `images` (data URLs) and `inputs` (lists of content parts, each of one part here). */
function readInputs(body: JsonObject): EmbeddingInput[] {
  if (Array.isArray(body.texts)) return inputsOf(body.texts.map(textAt('texts')), 'texts');
  if (Array.isArray(body.images)) {
    return body.images.map((image, index) => ({
      type: 'image',
      source: sourceOf(asString(image, `images[${index}]`)),
    }));
  }
  if (Array.isArray(body.inputs)) return body.inputs.map(partInput);
  throw malformed('texts', 'one of texts, images and inputs must be a list');
}

function textAt(field: string) {
  return (entry: Json, index: number): string => asString(entry, `${field}[${index}]`);
}

function partInput(entry: Json, index: number): EmbeddingInput {
  const parts = isJsonObject(entry) && Array.isArray(entry.content) ? entry.content : undefined;
  if (parts === undefined) throw malformed(`inputs[${index}]`, 'expected {"content": [{"type": "text", …}]}');
  const [only, more] = parts;
  return more === undefined && only !== undefined
    ? inputsOf([only], `inputs[${index}].content`)[0]!
    : { type: 'vendor', value: entry as JsonObject };
}

function writtenInputs(inputs: readonly EmbeddingInput[]): JsonObject {
  if (inputs.every(({ type }) => type === 'text')) return { texts: textsOf(inputs) };
  if (inputs.every(({ type }) => type === 'image')) {
    return { images: inputs.flatMap((input) => (input.type === 'image' ? [dataUrlOf(input.source)] : [])) };
  }
  return { inputs: inputs.map(writtenParts) };
}

function writtenParts(input: EmbeddingInput): JsonObject {
  if (input.type === 'vendor') return input.value;
  if (input.type === 'image') {
    return { content: [{ type: 'image_url', image_url: { url: dataUrlOf(input.source) } }] };
  }
  return { content: [{ type: 'text', text: textsOf([input])[0]! }] };
}

function encodeRequest(request: EmbeddingRequest, _options: EncodeOptions): JsonObject {
  const onlyImages = request.inputs.every(({ type }) => type === 'image');
  const encodings = request.encodings.length === 0 ? ['float'] : request.encodings;
  return {
    ...request.extra,
    ...given({
      model: request.model,
      ...writtenInputs(request.inputs),
      // Required by every newer model; what is stored to be searched is the usual case.
      input_type: purposeWords[request.purpose ?? (onlyImages ? 'image' : 'document')],
      embedding_types: encodings,
      output_dimension: request.dimensions,
      truncate: request.truncate?.toUpperCase(),
    }),
  };
}

function decodeResponse(body: JsonObject): EmbeddingResponse {
  const { embeddings } = body;
  let vectors: Record<string, EmbeddingVector[]>;
  if (Array.isArray(embeddings)) vectors = { float: listOf(embeddings, 'embeddings') };
  else if (isJsonObject(embeddings)) {
    vectors = {};
    for (const [encoding, list] of Object.entries(embeddings)) {
      if (Array.isArray(list)) vectors[encoding] = listOf(list, `embeddings.${encoding}`);
    }
  } else throw notAnAnswer('embeddings');
  return { id: text(body.id), model: '', vectors, usage: usageOf(body.meta), extra: {} };
}

function listOf(list: readonly Json[], place: string): EmbeddingVector[] {
  return list.map((vector, index) => vectorOf(vector, `${place}[${index}]`));
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** What is billed: `meta.billed_units`. */
export function usageOf(meta: unknown): Usage | undefined {
  const units = isJsonObject(meta) ? (meta.billed_units ?? meta.tokens) : undefined;
  if (!isJsonObject(units)) return undefined;
  const searches = count(units.search_units);
  return {
    ...noUsage,
    inputTokens: count(units.input_tokens),
    outputTokens: count(units.output_tokens),
    inputImageTokens: count(units.image_tokens),
    ...(searches > 0 ? { units: { queries: searches } } : {}),
  };
}

/** https://docs.cohere.com/reference/embed */
export const cohereEmbed: Format = {
  name: 'cohere-embed',
  operation: 'embedding',
  inspect: (body) => {
    const inputs = readInputs(body);
    optionalWhole(body, 'output_dimension', 1);
    optionalStrings(body, 'embedding_types');
    for (const name of ['input_type', 'truncate']) optionalString(body, name);
    return {
      model: optionalString(body, 'model'),
      inputUnbounded: inputs.some(({ type }) => type !== 'text'),
    };
  },
  decodeRequest: (body) => ({
    model: optionalString(body, 'model') ?? '',
    inputs: readInputs(body),
    dimensions: optionalWhole(body, 'output_dimension', 1),
    encodings: optionalStrings(body, 'embedding_types'),
    purpose: purposeOf(body.input_type),
    truncate: truncationOf(body.truncate),
    endUser: undefined,
    extra: unknownMembers(body, fields),
  }),
  encodeRequest,
  decodeResponse,
  encodeResponse: (response, options) => {
    const asked = options.request === undefined ? [] : optionalStrings(options.request.body, 'embedding_types');
    const names = asked.length === 0 ? ['float'] : asked;
    const inputs = options.request === undefined ? {} : { texts: options.request.body.texts ?? [] };
    return {
      id: response.id || options.requestId,
      embeddings: Object.fromEntries(names.map((name) => [name, vectorsAs(name, response.vectors)])),
      ...inputs,
      meta: {
        api_version: { version: '2' },
        ...(response.usage === undefined ? {} : { billed_units: { input_tokens: totalInputTokens(response.usage) } }),
      },
      response_type: 'embeddings_by_type',
    };
  },
};

/**
 * The same model behind InvokeModel: its name is in the path, and vectors without a type asked for come as a plain list.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html
 */
export const invokedCohereEmbed: Format = {
  ...cohereEmbed,
  name: 'invoked-cohere-embed',
  modelInPath: true,
  errors: converseErrors,
  inspect: (body, ...call) => ({ ...cohereEmbed.inspect(body, ...call), model: undefined }),
  decodeRequest: (body, files) => ({ ...cohereEmbed.decodeRequest(body, files), model: '' }),
  encodeRequest: (request, options) => {
    const { model: _, ...body } = encodeRequest(request, options);
    return body;
  },
  encodeResponse: (response, options) => {
    const { meta: _, ...told } = cohereEmbed.encodeResponse(response, options);
    if (options.request?.body.embedding_types !== undefined) return told;
    return { ...told, embeddings: vectorsAs('float', response.vectors), response_type: 'embeddings_floats' };
  },
};

function truncationOf(value: unknown): EmbeddingRequest['truncate'] {
  const word = typeof value === 'string' ? value.toLowerCase() : undefined;
  return word === 'none' || word === 'start' || word === 'end' ? word : undefined;
}
