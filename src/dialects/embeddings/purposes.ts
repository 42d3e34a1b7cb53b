import type { EmbeddingPurpose } from '../../core/neutral-tasks.ts';

/** What vendors call the purpose of a vector, in the order: what is written, and what else is understood. */
const words: Readonly<Record<EmbeddingPurpose, readonly string[]>> = {
  query: ['search_query', 'query', 'retrieval.query', 'RETRIEVAL_QUERY'],
  document: ['search_document', 'document', 'passage', 'retrieval.passage', 'RETRIEVAL_DOCUMENT'],
  classification: ['classification', 'CLASSIFICATION'],
  clustering: ['clustering', 'separation', 'CLUSTERING'],
  similarity: ['similarity', 'text-matching', 'SEMANTIC_SIMILARITY'],
  image: ['image'],
};

const byWord = new Map(
  Object.entries(words).flatMap(([purpose, list]) => list.map((word) => [word, purpose as EmbeddingPurpose] as const)),
);

/** Google's words for them, at Gemini and at Vertex AI. */
export const googleTaskTypes: Readonly<Record<EmbeddingPurpose, string | undefined>> = {
  query: 'RETRIEVAL_QUERY',
  document: 'RETRIEVAL_DOCUMENT',
  classification: 'CLASSIFICATION',
  clustering: 'CLUSTERING',
  similarity: 'SEMANTIC_SIMILARITY',
  image: undefined,
};

export function purposeOf(word: unknown): EmbeddingPurpose | undefined {
  return typeof word === 'string' ? byWord.get(word) : undefined;
}
