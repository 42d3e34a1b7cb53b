import { defineProvider } from '../define.ts';

export const novita = defineProvider({
  id: 'novita',
  name: 'Novita AI',
  documentation: 'https://novita.ai/docs/guides/llm-api',
  aliases: ['novita-ai'],
  baseUrl: 'https://api.novita.ai/v3/openai',
  baseUrlVariable: 'NOVITA_API_BASE',
  credentialVariable: 'NOVITA_API_KEY',
  dialects: { chat: ['openai-chat', 'openai-completions'], embedding: ['openai-embeddings'] },
});
