import { defineProvider } from '../define.ts';

export const upstage = defineProvider({
  id: 'upstage',
  name: 'Upstage',
  documentation: 'https://console.upstage.ai/api/chat',
  baseUrl: 'https://api.upstage.ai/v1',
  baseUrlVariable: 'UPSTAGE_API_BASE',
  credentialVariable: 'UPSTAGE_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
  modelPrefixes: ['solar-'],
});
