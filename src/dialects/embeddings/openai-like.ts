import type { EncodeOptions } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import type {
  EmbeddingInput,
  EmbeddingPurpose,
  EmbeddingRequest,
  EmbeddingResponse,
} from '../../core/neutral-tasks.ts';
import type { DialectName } from '../../core/operation.ts';
import { optionalString, optionalStrings, optionalWhole, unknownMembers } from '../body-checks.ts';
import { decodeUsage, encodeUsage } from '../openai-chat/usage.ts';
import { given, leaveOut, type TaskFormat } from '../task-dialect.ts';
import { dataUrlOf, inputsOf, textsOf } from './inputs.ts';
import { purposeOf } from './purposes.ts';
import { dataOfVectors, vectorsAs, vectorsOfData } from './vectors.ts';

/** What sets one of the formats apart that answer with `data: [{index, embedding}]`. */
export interface OpenaiLikeWords {
  readonly name: DialectName;
  readonly dimensions: string;
  /** The field for encodings, and which it knows. */
  readonly encoding: { readonly field: string; readonly known: readonly string[] };
  readonly purpose?: { readonly field: string; readonly words: Partial<Record<EmbeddingPurpose, string>> };
  /** `truncate: "END"`, `truncate: true` or `truncation: true`. */
  readonly truncation?: { readonly field: string; readonly kind: 'word' | 'flag' };
  readonly takesTokens: boolean;
  readonly takesImages: boolean;
}

type Format = TaskFormat<EmbeddingRequest, EmbeddingResponse>;
type Words = OpenaiLikeWords;

export function openaiLikeEmbeddings(words: OpenaiLikeWords): Format {
  const truncated = words.truncation?.field ?? 'truncate';
  const purposed = words.purpose?.field ?? 'input_type';
  const known = new Set(['model', 'input', 'user', words.dimensions, words.encoding.field, truncated, purposed]);
  return {
    name: words.name,
    operation: 'embedding',
    inspect: (body) => {
      const inputs = inputsOf(body.input, 'input');
      optionalWhole(body, words.dimensions, 1);
      optionalStrings(body, words.encoding.field);
      optionalString(body, purposed);
      return {
        model: optionalString(body, 'model'),
        endUser: optionalString(body, 'user') || undefined,
        inputUnbounded: inputs.some(({ type }) => type === 'image' || type === 'vendor'),
      };
    },
    decodeRequest: (body) => ({
      model: optionalString(body, 'model') ?? '',
      inputs: inputsOf(body.input, 'input'),
      dimensions: optionalWhole(body, words.dimensions, 1),
      encodings: encodingsOf(body, words),
      purpose: purposeOf(body[purposed]),
      truncate: truncationOf(body[truncated]),
      endUser: optionalString(body, 'user') || undefined,
      extra: unknownMembers(body, known),
    }),
    encodeRequest: (request, options) => ({
      ...request.extra,
      ...given({
        model: request.model,
        input: writtenInputs(request.inputs, words),
        [words.dimensions]: request.dimensions,
        [words.encoding.field]: encodingFor(request, words, options),
        [purposed]: request.purpose === undefined ? undefined : words.purpose?.words[request.purpose],
        [truncated]: writtenTruncation(request.truncate, words, options),
        user: words.name === 'openai-embeddings' ? request.endUser : undefined,
      }),
    }),
    decodeResponse: (body) => ({
      id: typeof body.id === 'string' ? body.id : '',
      model: typeof body.model === 'string' ? body.model : '',
      vectors: vectorsOfData(body.data),
      usage: decodeUsage(body.usage),
      extra: unknownMembers(body, answerFields),
    }),
    encodeResponse: (response, options) => {
      const asked = options.request === undefined ? [] : encodingsOf(options.request.body, words);
      return {
        object: 'list',
        ...(response.id === '' ? {} : { id: response.id }),
        ...response.extra,
        data: dataOfVectors(vectorsAs(asked[0] ?? Object.keys(response.vectors)[0] ?? 'float', response.vectors)),
        model: options.model ?? response.model,
        ...(response.usage === undefined ? {} : { usage: encodeUsage(response.usage) }),
      };
    },
    read: (body) => {
      // The vectors of an answer that passes through are nobody's business.
      if (!Array.isArray(body.data)) vectorsOfData(body.data);
      const model = typeof body.model === 'string' ? body.model : undefined;
      const id = typeof body.id === 'string' ? body.id : undefined;
      return { id, model, usage: decodeUsage(body.usage), finishReason: null, outputBytes: 0 };
    },
  };
}

const answerFields: ReadonlySet<string> = new Set(['id', 'object', 'data', 'model', 'usage']);

function encodingsOf(body: JsonObject, { encoding }: Words): string[] {
  const value = body[encoding.field];
  const list = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
  return list.filter((entry) => typeof entry === 'string');
}

/** Base64 of floats is made by the gateway where a format does not know it. */
function encodingFor({ encodings }: EmbeddingRequest, { encoding }: Words, options: EncodeOptions): unknown {
  const unknown = encodings.filter((name) => name !== 'float' && name !== 'base64' && !encoding.known.includes(name));
  if (unknown.length > 0) leaveOut(options, { encoding_format: unknown });
  return encodings.find((name) => encoding.known.includes(name));
}

function writtenInputs(inputs: readonly EmbeddingInput[], words: Words): JsonObject['input'] {
  if (words.takesTokens && inputs.every(({ type }) => type === 'tokens')) {
    const lists = inputs.map((input) => (input.type === 'tokens' ? input.tokens : []));
    return lists.length === 1 ? lists[0] : lists;
  }
  if (!words.takesImages || inputs.every(({ type }) => type === 'text')) return textsOf(inputs);
  return inputs.map((input) => {
    if (input.type === 'image') return { image: dataUrlOf(input.source) };
    if (input.type === 'vendor') return input.value;
    return { text: textsOf([input])[0]! };
  });
}

function truncationOf(value: unknown): EmbeddingRequest['truncate'] {
  if (typeof value === 'boolean') return value ? 'end' : 'none';
  if (typeof value !== 'string') return undefined;
  const word = value.toLowerCase();
  return word === 'none' || word === 'start' || word === 'end' ? word : undefined;
}

function writtenTruncation(truncate: EmbeddingRequest['truncate'], words: Words, options: EncodeOptions): unknown {
  if (truncate === undefined) return undefined;
  if (words.truncation === undefined || (words.truncation.kind === 'flag' && truncate === 'start')) {
    leaveOut(options, { truncate });
    return undefined;
  }
  return words.truncation.kind === 'word' ? truncate.toUpperCase() : truncate === 'end';
}
