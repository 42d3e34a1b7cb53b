import { defineProvider } from '../define.ts';

export const voyage = defineProvider({
  id: 'voyage',
  name: 'Voyage AI',
  documentation: 'https://docs.voyageai.com/reference/embeddings-api',
  baseUrl: 'https://api.voyageai.com/v1',
  baseUrlVariable: 'VOYAGE_API_BASE',
  credentialVariable: 'VOYAGE_API_KEY',
  dialects: { embedding: ['voyage-embeddings'], rerank: ['voyage-rerank'] },
  modelsPath: null,
});
