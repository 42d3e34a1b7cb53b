import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dialectContract, plainAnswer } from '../../../test/contract/dialect.ts';
import { maybe, plainRequest, usageOf, whole, word } from '../../../test/contract/neutral-arbitraries.ts';
import type { Json } from '../../core/json.ts';
import type { NeutralRequest, NeutralResponse } from '../../core/neutral.ts';
import { openaiEmbeddings } from './index.ts';

const input: fc.Arbitrary<Json> = fc.oneof(
  word,
  fc.array(word, { minLength: 1, maxLength: 3 }),
  fc.array(whole, { minLength: 1, maxLength: 3 }),
  fc.array(fc.array(whole, { maxLength: 3 }), { minLength: 1, maxLength: 2 }),
);
const requests: fc.Arbitrary<NeutralRequest> = fc
  .record({ model: word, endUser: maybe(word), input, dimensions: fc.integer({ min: 1, max: 3072 }) })
  .map(({ model, endUser, ...extra }) => ({ ...plainRequest, model, endUser, extra }));
const embedding = fc.record({
  object: fc.constant('embedding'),
  index: fc.nat(3),
  embedding: fc.array(fc.integer(), { maxLength: 3 }),
});
const responses: fc.Arbitrary<NeutralResponse> = fc
  .record({ model: word, data: fc.array(embedding, { minLength: 1, maxLength: 2 }), usage: usageOf(['inputTokens']) })
  .map(({ data, ...response }) => ({
    ...response,
    id: '',
    createdAt: undefined,
    choices: [],
    extra: { data: data as unknown as Json },
  }));

dialectContract({ dialect: openaiEmbeddings, fixtures: null, requests, responses, completeAtFinish: false });

test.each([
  [{}, 'input: expected a string'],
  [{ input: [] }, 'input: the list is empty'],
  [{ input: ['a', 1] }, 'input[1]: all entries must be of the same kind'],
  [{ input: [1.5] }, 'input[0]: expected a token'],
  [{ input: [[1], ['a']] }, 'input[1]: expected a list of whole numbers'],
  [{ input: 'a', dimensions: 0 }, 'dimensions: expected a whole number of at least 1'],
])('%j is refused', (body, message) => {
  expect(() => openaiEmbeddings.inspect(body)).toThrow(message);
});

test('streams are refused', () => {
  expect(() => openaiEmbeddings.relay(plainAnswer)).toThrow('do not stream');
});
