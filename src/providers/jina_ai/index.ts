import { defineProvider } from '../define.ts';

export const jinaAi = defineProvider({
  id: 'jina_ai',
  name: 'Jina AI',
  documentation: 'https://api.jina.ai/redoc',
  baseUrl: 'https://api.jina.ai/v1',
  baseUrlVariable: 'JINA_AI_API_BASE',
  credentialVariable: 'JINA_AI_API_KEY',
  dialects: { embedding: ['jina-embeddings'], rerank: ['jina-rerank'] },
  modelsPath: null,
});
