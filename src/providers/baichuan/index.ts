import { defineProvider } from '../define.ts';

export const baichuan = defineProvider({
  id: 'baichuan',
  name: 'Baichuan',
  documentation: 'https://platform.baichuan-ai.com/docs/api',
  baseUrl: 'https://api.baichuan-ai.com/v1',
  baseUrlVariable: 'BAICHUAN_API_BASE',
  credentialVariable: 'BAICHUAN_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
});
