import { bearer, defineProvider } from '../define.ts';

/** https://docs.together.ai/docs/openai-api-compatibility */
export const togetherAi = defineProvider({
  id: 'together_ai',
  name: 'Together AI',
  baseUrl: 'https://api.together.xyz/v1',
  baseUrlVariable: 'TOGETHERAI_API_BASE',
  credentialVariable: 'TOGETHERAI_API_KEY',
  auth: bearer(),
  aliases: ['together'],
  dialects: { chat: ['openai-chat', 'openai-completions'], embedding: ['openai-embeddings'] },
  catalogueIds: ['together'],
});
