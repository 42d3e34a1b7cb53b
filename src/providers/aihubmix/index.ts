import { defineProvider } from '../define.ts';

export const aihubmix = defineProvider({
  id: 'aihubmix',
  name: 'AiHubMix',
  documentation: 'https://docs.aihubmix.com/en/quick-start',
  baseUrl: 'https://aihubmix.com/v1',
  baseUrlVariable: 'AIHUBMIX_API_BASE',
  credentialVariable: 'AIHUBMIX_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
});
