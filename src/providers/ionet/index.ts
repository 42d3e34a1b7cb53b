import { defineProvider } from '../define.ts';

export const ionet = defineProvider({
  id: 'ionet',
  name: 'io.net Intelligence',
  documentation: 'https://docs.io.net/docs/creating-a-chat-completion',
  aliases: ['io-net'],
  baseUrl: 'https://api.intelligence.io.solutions/api/v1',
  baseUrlVariable: 'IO_INTELLIGENCE_API_BASE',
  credentialVariable: 'IO_INTELLIGENCE_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
});
