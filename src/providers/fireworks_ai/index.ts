import { bearer, defineProvider } from '../define.ts';

/** https://docs.fireworks.ai/tools-sdks/openai-compatibility */
export const fireworksAi = defineProvider({
  id: 'fireworks_ai',
  name: 'Fireworks AI',
  baseUrl: 'https://api.fireworks.ai/inference/v1',
  baseUrlVariable: 'FIREWORKS_API_BASE',
  credentialVariable: 'FIREWORKS_API_KEY',
  auth: bearer(),
  aliases: ['fireworks'],
  dialects: { chat: ['openai-chat', 'openai-completions'], embedding: ['openai-embeddings'] },
  catalogueIds: ['fireworks'],
});
