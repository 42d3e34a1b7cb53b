import { defineProvider } from '../define.ts';

export const lmStudio = defineProvider({
  id: 'lm_studio',
  name: 'LM Studio',
  documentation: 'https://lmstudio.ai/docs/app/api/endpoints/openai',
  aliases: ['lmstudio'],
  baseUrl: 'http://localhost:1234/v1',
  baseUrlVariable: 'LM_STUDIO_API_BASE',
  credentialVariable: 'LM_STUDIO_API_KEY',
  requiresCredential: false,
  dialects: { chat: ['openai-chat', 'openai-completions'], embedding: ['openai-embeddings'] },
  catalogueIds: [],
});
