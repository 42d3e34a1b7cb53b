import { defineProvider } from '../define.ts';

export const togetherAi = defineProvider({
  id: 'together_ai',
  name: 'Together AI',
  documentation: 'https://docs.together.ai/docs/openai-api-compatibility',
  baseUrl: 'https://api.together.xyz/v1',
  baseUrlVariable: 'TOGETHERAI_API_BASE',
  credentialVariable: 'TOGETHERAI_API_KEY',
  aliases: ['together'],
  dialects: {
    chat: ['openai-chat', 'openai-completions'],
    embedding: ['openai-embeddings'],
    rerank: ['jina-rerank'],
    image: ['together-images'],
    speech: ['openai-speech'],
    transcription: ['openai-transcriptions', 'openai-translations'],
  },
  catalogueIds: ['together'],
});
