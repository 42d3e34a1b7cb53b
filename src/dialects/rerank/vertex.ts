import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { RerankRequest, RerankResponse } from '../../core/neutral-tasks.ts';
import {
  asObject,
  filledList,
  optionalBoolean,
  optionalString,
  optionalWhole,
  requiredString,
  unknownMembers,
} from '../body-checks.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { given, leaveOut, type TaskFormat } from '../task-dialect.ts';
import { documentsPerQuery, textOf } from './shape.ts';

const known = new Set(['model', 'query', 'records', 'topN', 'ignoreRecordDetailsInResponse']);

function read(body: JsonObject): RerankRequest {
  const bare = optionalBoolean(body, 'ignoreRecordDetailsInResponse');
  return {
    model: optionalString(body, 'model') ?? '',
    query: requiredString(body, 'query'),
    documents: filledList(body, 'records').map((entry, index) => documentOf(entry, `records[${index}]`)),
    topN: optionalWhole(body, 'topN', 1),
    returnDocuments: bare === undefined ? undefined : !bare,
    tokensPerDocumentMax: undefined,
    endUser: undefined,
    extra: unknownMembers(body, known),
  };
}

function documentOf(entry: Json, path: string): string | JsonObject {
  const record = asObject(entry, path);
  const title = optionalString(record, 'title', `${path}.title`);
  const text = title === undefined ? requiredString(record, 'content', `${path}.content`) : (record.content ?? '');
  return title === undefined ? (text as string) : { title, text };
}

/** A record is known by its place. https://cloud.google.com/generative-ai-app-builder/docs/reference/rest/v1/projects.locations.rankingConfigs/rank */
export const vertexRanking: TaskFormat<RerankRequest, RerankResponse> = {
  name: 'vertex-ranking',
  operation: 'rerank',
  inspect: (body) => {
    const { documents } = read(body);
    return {
      model: optionalString(body, 'model'),
      units: { queries: Math.ceil(documents.length / documentsPerQuery) },
    };
  },
  decodeRequest: read,
  encodeRequest: (request, options) => {
    leaveOut(options, { max_tokens_per_doc: request.tokensPerDocumentMax });
    const { model, query, topN, returnDocuments, documents, extra } = request;
    return {
      ...extra,
      ...given({
        model,
        query,
        records: documents.map((document, index) => ({ id: String(index), ...recordOf(document) })),
        topN,
        ignoreRecordDetailsInResponse: returnDocuments === undefined ? undefined : !returnDocuments,
      }),
    };
  },
  decodeResponse: ({ records }) => {
    if (!Array.isArray(records)) throw notAnAnswer('records');
    const results = records.map((entry, place) => {
      const record = isJsonObject(entry) ? entry : {};
      const index = Number(record.id);
      if (!Number.isInteger(index) || typeof record.score !== 'number') throw notAnAnswer(`records[${place}]`);
      const document = typeof record.content === 'string' ? record.content : undefined;
      return { index, score: record.score, document };
    });
    return { id: '', model: '', results: results.sort((a, b) => b.score - a.score), usage: undefined, extra: {} };
  },
  encodeResponse: ({ results }) => ({
    records: results.map(({ index, score, document }) => ({
      id: String(index),
      score,
      ...(typeof document === 'string' ? { content: document } : {}),
    })),
  }),
};

function recordOf(document: string | JsonObject): JsonObject {
  if (isJsonObject(document) && typeof document.title === 'string' && typeof document.text === 'string') {
    return { title: document.title, content: document.text };
  }
  return { content: textOf(document) };
}
