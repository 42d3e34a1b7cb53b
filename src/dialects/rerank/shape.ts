import type { EncodeOptions } from '../../core/dialect.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { RerankRequest, RerankResponse } from '../../core/neutral-tasks.ts';
import type { DialectName } from '../../core/operation.ts';
import { noUsage, totalInputTokens, type Usage } from '../../core/usage.ts';
import {
  filledList,
  malformed,
  nameOf,
  optionalBoolean,
  optionalString,
  optionalWhole,
  requiredString,
  unknownMembers,
} from '../body-checks.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { decodeUsage } from '../openai-chat/usage.ts';
import { given, leaveOut, type TaskFormat } from '../task-dialect.ts';

/** The words of one format: all rank documents by a query, and call the parts of it differently. */
export interface RerankWords {
  readonly name: DialectName;
  readonly documents: string;
  readonly topN: string | null;
  readonly returnDocuments: string | null;
  readonly tokensPerDocument: string | null;
  /** Objects as documents. */
  readonly takesObjects: boolean;
  /** Query and documents stand in objects: `{text}`. */
  readonly textObjects?: boolean;
  /** The answer is a list without anything around it; the server knows its one model. */
  readonly bareList?: boolean;
  readonly results: string;
  readonly score: string;
  /** Where a result repeats its document. */
  readonly resultDocument: string;
  usage(body: JsonObject): Usage | undefined;
  /** Members of an answer beside its results. */
  envelope(response: RerankResponse, model: string): JsonObject;
}

/** Documents in one search unit. */
export const documentsPerQuery = 100;

export function rerankFormat(words: RerankWords): TaskFormat<RerankRequest, RerankResponse> {
  const named = [words.documents, words.topN, words.returnDocuments, words.tokensPerDocument];
  const fields = new Set(['model', 'query', 'user', ...named.filter((name) => name !== null)]);
  const read = (body: JsonObject): RerankRequest => ({
    model: optionalString(body, 'model') ?? '',
    query: queryOf(body, words),
    documents: filledList(body, words.documents).map((entry, index) => documentOf(entry, index, words)),
    topN: words.topN === null ? undefined : optionalWhole(body, words.topN, 1),
    returnDocuments: words.returnDocuments === null ? undefined : optionalBoolean(body, words.returnDocuments),
    tokensPerDocumentMax:
      words.tokensPerDocument === null ? undefined : optionalWhole(body, words.tokensPerDocument, 1),
    endUser: optionalString(body, 'user') || undefined,
    extra: unknownMembers(body, fields),
  });
  return {
    name: words.name,
    operation: 'rerank',
    modelInPath: words.bareList ?? false,
    listAnswer: words.bareList ?? false,
    inspect: (body) => {
      const { documents, endUser } = read(body);
      return {
        model: optionalString(body, 'model'),
        endUser,
        units: { queries: Math.ceil(documents.length / documentsPerQuery) },
      };
    },
    decodeRequest: read,
    encodeRequest: (request, options) => written(request, words, options),
    decodeResponse: (body) => {
      const list = body[words.results];
      if (!Array.isArray(list)) throw notAnAnswer(words.results);
      const results = list.map((entry, place) => resultOf(entry, place, words));
      return {
        id: typeof body.id === 'string' ? body.id : '',
        model: typeof body.model === 'string' ? body.model : '',
        results: results.sort((one, other) => other.score - one.score),
        usage: words.usage(body),
        extra: {},
      };
    },
    encodeResponse: (response, options) => ({
      ...(words.bareList ? {} : words.envelope(response, options.model ?? response.model)),
      [words.results]: response.results.slice(0, askedTopN(options.request?.body, words)).map((result) => ({
        index: result.index,
        [words.score]: result.score,
        ...repeated(result, words, options.request?.body),
      })),
    }),
  };
}

function queryOf(body: JsonObject, { textObjects }: RerankWords): string {
  return textObjects && isJsonObject(body.query)
    ? requiredString(body.query, 'text', 'query.text')
    : requiredString(body, 'query');
}

function documentOf(entry: Json, index: number, { documents, textObjects }: RerankWords): string | JsonObject {
  if (typeof entry === 'string') return entry;
  if (!isJsonObject(entry))
    throw malformed(`${documents}[${index}]`, `expected a text or an object, got ${nameOf(entry)}`);
  return textObjects && typeof entry.text === 'string' ? entry.text : entry;
}

function written(request: RerankRequest, words: RerankWords, options: EncodeOptions): JsonObject {
  const { query, documents, topN, returnDocuments, tokensPerDocumentMax } = request;
  if (words.tokensPerDocument === null) leaveOut(options, { max_tokens_per_doc: tokensPerDocumentMax });
  const texts = words.takesObjects ? documents : documents.map(textOf);
  return {
    ...request.extra,
    ...given({
      model: request.model,
      query: words.textObjects ? { text: query } : query,
      [words.documents]: words.textObjects ? texts.map((text) => ({ text })) : texts,
      ...(words.topN === null ? {} : { [words.topN]: topN }),
      ...(words.returnDocuments === null ? {} : { [words.returnDocuments]: returnDocuments }),
      ...(words.tokensPerDocument === null ? {} : { [words.tokensPerDocument]: tokensPerDocumentMax }),
    }),
  };
}

/** A document of several fields as one text, where a format takes only texts. */
export function textOf(document: string | JsonObject): string {
  if (typeof document === 'string') return document;
  if (typeof document.text === 'string') return document.text;
  return Object.entries(document)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('\n');
}

function resultOf(entry: Json, place: number, words: RerankWords): RerankResponse['results'][number] {
  if (!isJsonObject(entry)) throw notAnAnswer(`${words.results}[${place}]`);
  const score = entry[words.score];
  if (typeof entry.index !== 'number' || typeof score !== 'number') throw notAnAnswer(`${words.results}[${place}]`);
  return { index: entry.index, score, document: entry[words.resultDocument] };
}

/** The document beside its score: as the provider repeated it, or from the request where the caller asked for it. */
function repeated(
  { index, document }: RerankResponse['results'][number],
  words: RerankWords,
  asked: JsonObject | undefined,
): JsonObject {
  const wanted = words.returnDocuments !== null && asked?.[words.returnDocuments] === true;
  if (!wanted && document === undefined) return {};
  const list = asked?.[words.documents];
  const found = document ?? (Array.isArray(list) ? list[index] : undefined);
  if (found === undefined) return {};
  const isPlain = words.resultDocument === 'text' || words.results === 'data';
  if (typeof found === 'string') return { [words.resultDocument]: isPlain ? found : { text: found } };
  return {
    [words.resultDocument]: isPlain && isJsonObject(found) && typeof found.text === 'string' ? found.text : found,
  };
}

function askedTopN(asked: JsonObject | undefined, { topN }: RerankWords): number | undefined {
  const value = topN === null ? undefined : asked?.[topN];
  return typeof value === 'number' && value > 0 ? value : undefined;
}

/** Usage as one figure of tokens. */
export function tokenUsage({ usage }: JsonObject): Usage | undefined {
  return decodeUsage(usage);
}

/** Search units and tokens, both where both are known, so that callers of either kind find theirs. */
export function billed(usage: Usage | undefined): { meta: JsonObject; usage?: JsonObject } {
  const { queries = 0 } = usage?.units ?? {};
  const tokens = totalInputTokens(usage ?? noUsage);
  const billedUnits = given({
    search_units: queries > 0 ? queries : undefined,
    total_tokens: tokens > 0 ? tokens : undefined,
  });
  return {
    meta: { api_version: { version: '2' }, ...(usage === undefined ? {} : { billed_units: billedUnits }) },
    ...(tokens > 0 ? { usage: { total_tokens: tokens, prompt_tokens: tokens } } : {}),
  };
}
