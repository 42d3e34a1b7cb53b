import { taskDialect } from '../task-dialect.ts';
import { cohereEmbed, invokedCohereEmbed } from './cohere.ts';
import { featureExtraction } from './feature-extraction.ts';
import { geminiBatchEmbed, geminiEmbed } from './gemini.ts';
import { ollamaEmbed, ollamaEmbeddings } from './ollama.ts';
import { openaiLikeEmbeddings } from './openai-like.ts';
import { titanEmbed, vertexEmbed } from './predict.ts';

const otherEncodings = ['float', 'int8', 'uint8', 'binary', 'ubinary'];

/** Formats of embeddings beside OpenAI's own. */
export const embeddingDialects = [
  taskDialect(cohereEmbed),
  taskDialect(invokedCohereEmbed),
  taskDialect(geminiEmbed),
  taskDialect(geminiBatchEmbed),
  taskDialect(ollamaEmbed),
  taskDialect(ollamaEmbeddings),
  taskDialect(featureExtraction),
  taskDialect(titanEmbed),
  taskDialect(vertexEmbed),
  /** https://docs.voyageai.com/reference/embeddings-api */
  taskDialect(
    openaiLikeEmbeddings({
      name: 'voyage-embeddings',
      dimensions: 'output_dimension',
      encoding: { field: 'output_dtype', known: otherEncodings },
      purpose: { field: 'input_type', words: { query: 'query', document: 'document' } },
      truncation: { field: 'truncation', kind: 'flag' },
      takesTokens: false,
      takesImages: false,
    }),
  ),
  /** https://api.jina.ai/redoc#tag/embeddings */
  taskDialect(
    openaiLikeEmbeddings({
      name: 'jina-embeddings',
      dimensions: 'dimensions',
      encoding: { field: 'embedding_type', known: ['float', 'base64', 'binary', 'ubinary'] },
      purpose: {
        field: 'task',
        words: {
          query: 'retrieval.query',
          document: 'retrieval.passage',
          classification: 'classification',
          clustering: 'separation',
          similarity: 'text-matching',
        },
      },
      truncation: { field: 'truncate', kind: 'flag' },
      takesTokens: false,
      takesImages: true,
    }),
  ),
  /** https://docs.nvidia.com/nim/nemo-retriever/text-embedding/latest/reference.html */
  taskDialect(
    openaiLikeEmbeddings({
      name: 'nim-embeddings',
      dimensions: 'dimensions',
      encoding: { field: 'encoding_format', known: ['float', 'base64'] },
      purpose: { field: 'input_type', words: { query: 'query', document: 'passage' } },
      truncation: { field: 'truncate', kind: 'word' },
      takesTokens: false,
      takesImages: false,
    }),
  ),
  /** https://docs.mistral.ai/api/#tag/embeddings */
  taskDialect(
    openaiLikeEmbeddings({
      name: 'mistral-embeddings',
      dimensions: 'output_dimension',
      encoding: { field: 'output_dtype', known: otherEncodings },
      takesTokens: false,
      takesImages: false,
    }),
  ),
] as const;
