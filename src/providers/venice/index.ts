import { defineProvider } from '../define.ts';

export const venice = defineProvider({
  id: 'venice',
  name: 'Venice',
  documentation: 'https://docs.venice.ai/api-reference/endpoint/chat/completions',
  aliases: ['veniceai'],
  baseUrl: 'https://api.venice.ai/api/v1',
  baseUrlVariable: 'VENICE_AI_API_BASE',
  credentialVariable: 'VENICE_AI_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
});
