import { defineProvider } from '../define.ts';

export const aiml = defineProvider({
  id: 'aiml',
  name: 'AI/ML API',
  documentation: 'https://docs.aimlapi.com/',
  aliases: ['aimlapi'],
  baseUrl: 'https://api.aimlapi.com/v1',
  baseUrlVariable: 'AIML_API_BASE',
  credentialVariable: 'AIML_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
});
