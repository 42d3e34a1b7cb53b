import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainAnswer } from '../../../test/contract/dialect.ts';
import { maybe, word } from '../../../test/contract/neutral-arbitraries.ts';
import { taskContract } from '../../../test/contract/task.ts';
import {
  dimensions,
  embeddingRequests,
  embeddingResponses,
  imageInputs,
  tokenInputs,
} from '../../../test/contract/task-arbitraries.ts';
import { openaiEmbeddings } from './index.ts';

taskContract({
  dialect: openaiEmbeddings,
  requests: fc.oneof(
    embeddingRequests({ dimensions, endUser: maybe(word), encodings: fc.constantFrom([], ['base64']) }),
    embeddingRequests({ inputs: tokenInputs }),
    embeddingRequests({ inputs: imageInputs }),
  ),
  responses: embeddingResponses({ model: word }),
  fields: ['input', 'dimensions', 'encoding_format', 'input_type', 'truncate'],
});

test.each([
  [{}, 'input: expected a string'],
  [{ input: [] }, 'input: the list is empty'],
  [{ input: [1.5] }, 'input[0]: expected a token'],
  [{ input: [1, 'a'] }, 'input[1]: expected a token'],
  [{ input: [[1], ['a']] }, 'input[1][0]: expected a token'],
  [{ input: ['a', null] }, 'input[1]: expected a text, a list of tokens or an object, got null'],
  [{ input: 'a', dimensions: 0 }, 'dimensions: expected a whole number of at least 1'],
])('%j is refused', (body, message) => {
  expect(() => openaiEmbeddings.inspect(body)).toThrow(message);
});

test('streams are refused', () => {
  expect(() => openaiEmbeddings.relay(plainAnswer)).toThrow('do not stream');
});

test('vectors are told in the encoding that was asked for, whatever the provider made', () => {
  const asked = { ...plainAnswer, request: { body: { input: 'a', encoding_format: 'base64' } } };
  const floats = { id: '', model: 'm', vectors: { float: [[0.5, -2]] }, usage: undefined, extra: {} };
  const told = openaiEmbeddings.response.encode(floats as never, asked);
  expect(told.data).toEqual([{ object: 'embedding', index: 0, embedding: 'AAAAPwAAAMA=' }]);
  const base64 = { ...floats, vectors: { base64: ['AAAAPwAAAMA='] } };
  const again = openaiEmbeddings.response.encode(base64 as never, {
    ...asked,
    request: { body: { encoding_format: 'float' } },
  });
  expect(again.data).toEqual([{ object: 'embedding', index: 0, embedding: [0.5, -2] }]);
});
