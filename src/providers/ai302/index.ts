import { defineProvider } from '../define.ts';

export const ai302 = defineProvider({
  id: 'ai302',
  name: '302.AI',
  documentation: 'https://doc-en.302.ai/',
  aliases: ['302ai'],
  baseUrl: 'https://api.302.ai/v1',
  baseUrlVariable: 'AI302_API_BASE',
  credentialVariable: 'AI302_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
});
