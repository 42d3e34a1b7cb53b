import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainAnswer, plainOptions } from '../../../test/contract/dialect.ts';
import { maybe } from '../../../test/contract/neutral-arbitraries.ts';
import { taskContract } from '../../../test/contract/task.ts';
import { rerankRequests, rerankResponses, tokensUsed } from '../../../test/contract/task-arbitraries.ts';
import type { Dialect } from '../../core/dialect.ts';
import type { DialectName } from '../../core/operation.ts';
import { noUsage } from '../../core/usage.ts';
import { dialects } from '../index.ts';

const named = (name: DialectName): Dialect => dialects.get(name)!;
const topN = maybe(fc.integer({ min: 1, max: 9 }));
const returnDocuments = maybe(fc.boolean());
const none = fc.constant(undefined);
const searches = fc.integer({ min: 1, max: 9 }).map((queries) => ({ ...noUsage, units: { queries } }));

const cases = [
  ['cohere-rerank', { topN, returnDocuments, tokensPerDocumentMax: topN }, maybe(searches)],
  ['cohere-rerank-v2', { topN, tokensPerDocumentMax: topN }, maybe(searches)],
  ['invoked-rerank', { topN, tokensPerDocumentMax: topN }, none],
  ['jina-rerank', { topN, returnDocuments }, maybe(tokensUsed)],
  ['voyage-rerank', { topN, returnDocuments }, maybe(tokensUsed)],
  ['tei-rerank', { returnDocuments }, none],
  ['nim-ranking', {}, maybe(tokensUsed)],
  ['vertex-ranking', { topN, returnDocuments }, none],
] as const;

describe.each(cases)('%s', (name, said, usage) => {
  taskContract({
    dialect: named(name),
    requests: rerankRequests(said),
    responses: rerankResponses(usage as fc.Arbitrary<undefined>),
    fields: [
      'query',
      'documents',
      'texts',
      'passages',
      'records',
      'top_n',
      'topN',
      'top_k',
      'return_documents',
      'return_text',
    ],
  });
});

const body = { model: 'm', query: 'q', documents: ['a', { text: 'b', title: 't' }], top_n: 1, return_documents: true };

test('a search unit is a hundred documents', () => {
  const documents = Array.from({ length: 101 }, () => 'a');
  expect(named('cohere-rerank').inspect({ ...body, documents }).units).toEqual({ queries: 2 });
});

test.each([
  ['voyage-rerank', { model: 'up', query: 'q', documents: ['a', 'b'], top_k: 1, return_documents: true }],
  ['tei-rerank', { query: 'q', texts: ['a', 'b'], return_text: true }],
  ['nim-ranking', { model: 'up', query: { text: 'q' }, passages: [{ text: 'a' }, { text: 'b' }] }],
  [
    'vertex-ranking',
    {
      model: 'up',
      query: 'q',
      records: [
        { id: '0', content: 'a' },
        { id: '1', title: 't', content: 'b' },
      ],
      topN: 1,
      ignoreRecordDetailsInResponse: false,
    },
  ],
] as const)('from cohere to %s', (name, expected) => {
  const request = named('cohere-rerank').request.decode(body);
  expect(named(name).request.encode(request, { ...plainOptions, model: 'up' })).toEqual(expected);
});

test('behind InvokeModel the path names the model, and Cohere wants the version of its format', () => {
  const invoked = named('invoked-rerank');
  const request = named('cohere-rerank').request.decode({ ...body, documents: ['a'], return_documents: undefined });
  const sent = { query: 'q', documents: ['a'], top_n: 1 };
  const encoded = (model: string) => invoked.request.encode(request, { ...plainOptions, model });
  expect(encoded('cohere.rerank-v3-5:0')).toEqual({ ...sent, api_version: 2 });
  expect(encoded('amazon.rerank-v1:0')).toEqual(sent);
  const asked = { ...sent, api_version: 2 };
  expect([...invoked.passThrough(asked, { ...plainOptions, model: 'cohere.rerank-v3-5:0' })]).toEqual([]);
  const elsewhere = named('jina-rerank').request.encode(invoked.request.decode(asked), {
    ...plainOptions,
    model: 'up',
  });
  expect(elsewhere).toEqual({ ...sent, model: 'up' });
  expect(() => invoked.inspect({ ...asked, api_version: 'two' })).toThrow(
    'api_version: expected a number, got a string',
  );
});

test('the answer of a bare list: sorted, cut to the number asked for, with its document', () => {
  const answer = named('tei-rerank').response.decode({
    list: [
      { index: 0, score: 0.1 },
      { index: 1, score: 0.9 },
    ],
  });
  const told = named('cohere-rerank').response.encode(answer, { ...plainAnswer, model: 'm', request: { body } });
  expect(told).toMatchObject({
    model: 'm',
    results: [{ index: 1, relevance_score: 0.9, document: { text: 'b', title: 't' } }],
  });
});

test.each([
  [{ documents: ['a'] }, 'query: expected a string, got nothing'],
  [{ query: 'q' }, 'documents: expected a list, got nothing'],
  [{ query: 'q', documents: [1] }, 'documents[0]: expected a text or an object, got a number'],
  [{ query: 'q', documents: ['a'], top_n: 0 }, 'top_n: expected a whole number of at least 1'],
])('%j is refused', (wrong, message) => {
  expect(() => named('cohere-rerank').inspect(wrong)).toThrow(message);
});
