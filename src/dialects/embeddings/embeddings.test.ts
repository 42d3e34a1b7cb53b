import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plainAnswer, plainOptions } from '../../../test/contract/dialect.ts';
import { word } from '../../../test/contract/neutral-arbitraries.ts';
import { taskContract } from '../../../test/contract/task.ts';
import {
  dimensions,
  embeddingRequests,
  embeddingResponses,
  imageInputs,
  tokensUsed,
} from '../../../test/contract/task-arbitraries.ts';
import type { Dialect } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import type { EmbeddingPurpose } from '../../core/neutral-tasks.ts';
import type { DialectName } from '../../core/operation.ts';
import { dialects } from '../index.ts';

const named = (name: DialectName): Dialect => dialects.get(name)!;
const purposes = (...list: (EmbeddingPurpose | undefined)[]) => fc.constantFrom(...list);
const always = fc.constant;

describe('cohere-embed', () => {
  const said = { dimensions, purpose: purposes('query', 'document', 'classification', 'clustering') };
  const encodings = fc.constantFrom<string[]>(['float'], ['int8', 'float']);
  taskContract({
    dialect: named('cohere-embed'),
    requests: fc.oneof(
      embeddingRequests({ ...said, encodings, truncate: fc.constantFrom('end', 'start', 'none', undefined) }),
      embeddingRequests({ inputs: imageInputs, encodings, purpose: always('image') }),
    ),
    responses: embeddingResponses({ id: word }),
    fields: ['texts', 'images', 'inputs', 'output_dimension', 'embedding_types', 'truncate'],
  });
});

describe('invoked-cohere-embed', () => {
  const dialect = named('invoked-cohere-embed');
  taskContract({
    dialect,
    requests: embeddingRequests({
      dimensions,
      purpose: purposes('query', 'document'),
      encodings: always(['float']),
    }),
    responses: embeddingResponses({ usage: always(undefined), id: word }),
    fields: ['texts', 'images', 'inputs', 'output_dimension', 'embedding_types', 'truncate'],
  });

  test('answers with a plain list where no type is asked for', () => {
    const answer = { id: 'x', model: '', vectors: { float: [[1, 2]] }, usage: undefined, extra: {} };
    const told = (request: JsonObject) =>
      dialect.response.encode(answer as never, { ...plainAnswer, request: { body: request } } as never);
    expect(told({ texts: ['a'] })).toMatchObject({ embeddings: [[1, 2]], response_type: 'embeddings_floats' });
    expect(told({ texts: ['a'], embedding_types: ['float'] })).toMatchObject({ embeddings: { float: [[1, 2]] } });
  });
});

describe('gemini-batch-embed', () => {
  taskContract({
    dialect: named('gemini-batch-embed'),
    requests: embeddingRequests({ dimensions: always(undefined), purpose: purposes('query', undefined) }),
    responses: embeddingResponses({ usage: always(undefined) }),
    fields: ['requests'],
  });
});

describe('gemini-embed', () => {
  taskContract({
    dialect: named('gemini-embed'),
    requests: embeddingRequests({ dimensions, inputs: word.map((text) => [{ type: 'text' as const, text }]) }),
    responses: embeddingResponses({
      usage: always(undefined),
      vectors: always({ float: [[1, 2]] }),
    }),
    fields: ['content', 'outputDimensionality', 'taskType'],
  });
});

describe('ollama-embed', () => {
  taskContract({
    dialect: named('ollama-embed'),
    requests: embeddingRequests({ dimensions, truncate: fc.constantFrom('end', 'none', undefined) }),
    responses: embeddingResponses({ model: word }),
    fields: ['input', 'dimensions', 'truncate', 'options'],
  });
});

describe('ollama-embeddings', () => {
  taskContract({
    dialect: named('ollama-embeddings'),
    requests: embeddingRequests({ inputs: word.map((text) => [{ type: 'text' as const, text }]) }),
    responses: embeddingResponses({ usage: always(undefined), vectors: always({ float: [[1, 2]] }) }),
    fields: ['prompt'],
  });
});

describe('vertex-embed', () => {
  taskContract({
    dialect: named('vertex-embed'),
    requests: embeddingRequests({
      dimensions,
      purpose: purposes('query', undefined),
      truncate: fc.constantFrom('end', 'none', undefined),
    }),
    responses: embeddingResponses({ usage: always(undefined) }),
    fields: ['instances', 'parameters'],
  });
});

describe('titan-embed', () => {
  taskContract({
    dialect: named('titan-embed'),
    requests: embeddingRequests({ dimensions, inputs: word.map((text) => [{ type: 'text' as const, text }]) }),
    responses: embeddingResponses({ usage: always(undefined), vectors: always({ float: [[1, 2]] }) }),
    fields: ['inputText', 'dimensions'],
  });
});

describe('feature-extraction', () => {
  taskContract({
    dialect: named('feature-extraction'),
    requests: embeddingRequests({ truncate: fc.constantFrom('end', 'start', undefined) }),
    responses: embeddingResponses({ usage: always(undefined) }),
    fields: ['inputs', 'truncate'],
  });
});

const likeOpenai: readonly (readonly [DialectName, EmbeddingPurpose[], readonly string[]])[] = [
  ['voyage-embeddings', ['query', 'document'], ['output_dimension', 'output_dtype', 'truncation', 'input_type']],
  ['jina-embeddings', ['query', 'document', 'similarity'], ['dimensions', 'embedding_type', 'task', 'truncate']],
  ['nim-embeddings', ['query', 'document'], ['dimensions', 'truncate', 'input_type']],
];
describe.each(likeOpenai)('%s', (name, known, fields) => {
  taskContract({
    dialect: named(name),
    requests: embeddingRequests({ dimensions, purpose: purposes(...known, undefined), truncate: always('end') }),
    responses: embeddingResponses({ model: word, usage: tokensUsed }),
    fields: ['input', ...fields],
  });
});

/** From any caller to any provider: what is meant arrives in the provider's words. */
describe('between formats', () => {
  const crossed = (from: DialectName, to: DialectName, body: Parameters<Dialect['inspect']>[0], more = {}) =>
    named(to).request.encode(named(from).request.decode(body), { ...plainOptions, model: 'up', ...more });

  test('openai to cohere', () => {
    const body = {
      model: 'm',
      input: ['a', 'b'],
      dimensions: 256,
      input_type: 'search_query',
      encoding_format: 'base64',
    };
    expect(crossed('openai-embeddings', 'cohere-embed', body)).toEqual({
      model: 'up',
      texts: ['a', 'b'],
      input_type: 'search_query',
      embedding_types: ['base64'],
      output_dimension: 256,
    });
  });

  test('openai to gemini: one request a text, the model in each', () => {
    expect(
      crossed('openai-embeddings', 'gemini-batch-embed', { model: 'm', input: ['a', 'b'], dimensions: 8 }),
    ).toEqual({
      requests: [
        { model: 'models/up', content: { parts: [{ text: 'a' }] }, outputDimensionality: 8 },
        { model: 'models/up', content: { parts: [{ text: 'b' }] }, outputDimensionality: 8 },
      ],
    });
  });

  test('cohere to voyage and jina', () => {
    const body = {
      model: 'm',
      texts: ['a'],
      input_type: 'search_document',
      embedding_types: ['int8'],
      truncate: 'NONE',
    };
    expect(crossed('cohere-embed', 'voyage-embeddings', body)).toEqual({
      model: 'up',
      input: ['a'],
      output_dtype: 'int8',
      input_type: 'document',
      truncation: false,
    });
    expect(() => crossed('cohere-embed', 'jina-embeddings', body)).toThrow("parameters: ['encoding_format']");
    expect(crossed('cohere-embed', 'jina-embeddings', body, { dropParams: true })).toEqual({
      model: 'up',
      input: ['a'],
      task: 'retrieval.passage',
      truncate: false,
    });
  });

  test('ollama to openai, and the answer back', () => {
    expect(crossed('ollama-embed', 'openai-embeddings', { model: 'm', input: 'a' })).toEqual({
      model: 'up',
      input: ['a'],
    });
    const answer = named('openai-embeddings').response.decode({
      data: [
        { index: 1, embedding: [2] },
        { index: 0, embedding: [1] },
      ],
      usage: { prompt_tokens: 3, total_tokens: 3 },
    });
    expect(named('ollama-embed').response.encode(answer, { ...plainAnswer, model: 'm' })).toEqual({
      model: 'm',
      embeddings: [[1], [2]],
      prompt_eval_count: 3,
    });
  });

  test('what a provider cannot take is refused by name', () => {
    const tokens = { model: 'm', input: [[1, 2]] };
    expect(() => crossed('openai-embeddings', 'cohere-embed', tokens)).toThrow('lists of tokens as input');
    expect(() => crossed('openai-embeddings', 'gemini-batch-embed', { input: [{ image: 'https://x/y.png' }] })).toThrow(
      'images as input',
    );
    expect(() => crossed('openai-embeddings', 'feature-extraction', { input: 'a', dimensions: 3 })).toThrow(
      "parameters: ['dimensions']",
    );
  });
});
