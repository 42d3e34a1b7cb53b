import fc from 'fast-check';
import type {
  EmbeddingRequest,
  EmbeddingResponse,
  RerankRequest,
  RerankResponse,
} from '../../src/core/neutral-tasks.ts';
import { noUsage, type Usage } from '../../src/core/usage.ts';
import { maybe, whole, word } from './neutral-arbitraries.ts';

const texts = fc.array(
  word.map((text) => ({ type: 'text' as const, text })),
  { minLength: 1, maxLength: 3 },
);
export const tokenInputs = fc.array(
  fc.array(whole, { minLength: 1, maxLength: 3 }).map((tokens) => ({ type: 'tokens' as const, tokens })),
  { minLength: 1, maxLength: 2 },
);
export const imageInputs = fc.array(
  fc.webUrl().map((url) => ({ type: 'image' as const, source: { kind: 'url' as const, url } })),
  { minLength: 1, maxLength: 2 },
);

/** A request of texts, with what the format can say beside them. */
export function embeddingRequests(
  said: {
    readonly [Key in keyof EmbeddingRequest]?: fc.Arbitrary<EmbeddingRequest[Key]>;
  },
): fc.Arbitrary<EmbeddingRequest> {
  const none = fc.constant(undefined);
  return fc.record<EmbeddingRequest>({
    model: word,
    inputs: texts,
    dimensions: none,
    encodings: fc.constant([]),
    purpose: none,
    truncate: none,
    endUser: none,
    extra: fc.constant({}),
    ...said,
  });
}

export const dimensions = maybe(fc.integer({ min: 1, max: 3072 }));
const vector = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 4 });

export const tokensUsed: fc.Arbitrary<Usage> = fc
  .integer({ min: 1, max: 100_000 })
  .map((inputTokens) => ({ ...noUsage, inputTokens }));

export function embeddingResponses(
  more: { readonly [Key in keyof EmbeddingResponse]?: fc.Arbitrary<EmbeddingResponse[Key]> } = {},
): fc.Arbitrary<EmbeddingResponse> {
  return fc.record<EmbeddingResponse>({
    id: fc.constant(''),
    model: fc.constant(''),
    vectors: fc.array(vector, { minLength: 1, maxLength: 2 }).map((float) => ({ float })),
    usage: maybe(tokensUsed),
    extra: fc.constant({}),
    ...more,
  });
}

export function rerankRequests(
  said: {
    readonly [Key in keyof RerankRequest]?: fc.Arbitrary<RerankRequest[Key]>;
  },
): fc.Arbitrary<RerankRequest> {
  const none = fc.constant(undefined);
  return fc.record<RerankRequest>({
    model: word,
    query: word,
    documents: fc.array(word, { minLength: 1, maxLength: 3 }),
    topN: none,
    returnDocuments: none,
    tokensPerDocumentMax: none,
    endUser: none,
    extra: fc.constant({}),
    ...said,
  });
}

export const rerankResponses = (usage: fc.Arbitrary<Usage | undefined>): fc.Arbitrary<RerankResponse> =>
  fc.record<RerankResponse>({
    id: fc.constant(''),
    model: fc.constant(''),
    results: fc
      .uniqueArray(fc.nat(9), { minLength: 1, maxLength: 3 })
      .map((indices) => indices.map((index, place) => ({ index, score: 1 - place / 10, document: undefined }))),
    usage,
    extra: fc.constant({}),
  });
