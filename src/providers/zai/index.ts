import { defineProvider } from '../define.ts';

export const zai = defineProvider({
  id: 'zai',
  name: 'Z.AI (Zhipu)',
  documentation: 'https://docs.z.ai/api-reference/llm/chat-completion',
  aliases: ['zhipu', 'z-ai'],
  baseUrl: 'https://api.z.ai/api/paas/v4',
  baseUrlVariable: 'ZAI_API_BASE',
  credentialVariable: 'ZAI_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
  catalogueIds: ['zai'],
  modelPrefixes: ['glm-'],
  usageInStream: 'always',
});
