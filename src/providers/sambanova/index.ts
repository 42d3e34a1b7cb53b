import { defineProvider } from '../define.ts';

export const sambanova = defineProvider({
  id: 'sambanova',
  name: 'SambaNova',
  documentation: 'https://docs.sambanova.ai/docs/en/features/openai-compatibility',
  baseUrl: 'https://api.sambanova.ai/v1',
  baseUrlVariable: 'SAMBANOVA_API_BASE',
  credentialVariable: 'SAMBANOVA_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
});
