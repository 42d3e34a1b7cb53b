import { defineProvider } from '../define.ts';

export const scaleway = defineProvider({
  id: 'scaleway',
  name: 'Scaleway',
  documentation: 'https://www.scaleway.com/en/docs/generative-apis/quickstart/',
  baseUrl: 'https://api.scaleway.ai/v1',
  baseUrlVariable: 'SCW_API_BASE',
  credentialVariable: 'SCW_SECRET_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
});
