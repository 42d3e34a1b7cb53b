import { defineProvider } from '../define.ts';

export const infinity = defineProvider({
  id: 'infinity',
  name: 'Infinity',
  documentation: 'https://michaelfeil.eu/infinity/latest/',
  baseUrl: 'http://localhost:7997',
  baseUrlVariable: 'INFINITY_API_BASE',
  credentialVariable: 'INFINITY_API_KEY',
  requiresCredential: false,
  dialects: { embedding: ['openai-embeddings'], rerank: ['jina-rerank'] },
  catalogueIds: [],
});
