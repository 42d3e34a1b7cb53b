import { defineProvider } from '../define.ts';

export const requesty = defineProvider({
  id: 'requesty',
  name: 'Requesty',
  documentation: 'https://docs.requesty.ai/quickstart',
  baseUrl: 'https://router.requesty.ai/v1',
  baseUrlVariable: 'REQUESTY_API_BASE',
  credentialVariable: 'REQUESTY_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
});
