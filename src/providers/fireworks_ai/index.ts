import { defineProvider } from '../define.ts';

export const fireworksAi = defineProvider({
  id: 'fireworks_ai',
  name: 'Fireworks AI',
  documentation: 'https://docs.fireworks.ai/tools-sdks/openai-compatibility',
  baseUrl: 'https://api.fireworks.ai/inference/v1',
  baseUrlVariable: 'FIREWORKS_API_BASE',
  credentialVariable: 'FIREWORKS_API_KEY',
  aliases: ['fireworks'],
  dialects: { chat: ['openai-chat', 'openai-completions'], embedding: ['openai-embeddings'] },
  catalogueIds: ['fireworks'],
});
