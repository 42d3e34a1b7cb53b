import { defineProvider } from '../define.ts';

export const textEmbeddingsInference = defineProvider({
  id: 'text_embeddings_inference',
  name: 'Text Embeddings Inference',
  documentation: 'https://huggingface.github.io/text-embeddings-inference/',
  aliases: ['tei'],
  baseUrl: 'http://localhost:8080',
  baseUrlVariable: 'TEI_API_BASE',
  credentialVariable: 'TEI_API_KEY',
  requiresCredential: false,
  dialects: { embedding: ['openai-embeddings', 'feature-extraction'], rerank: ['tei-rerank'] },
  path: ({ dialect }) =>
    ({ 'openai-embeddings': '/v1/embeddings', 'feature-extraction': '/embed', 'tei-rerank': '/rerank' })[
      dialect as 'tei-rerank'
    ],
  catalogueIds: [],
  modelsPath: '/info',
});
