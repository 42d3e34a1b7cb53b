import { defineProvider } from '../define.ts';

export const litellmProxy = defineProvider({
  id: 'litellm_proxy',
  name: 'LiteLLM proxy',
  documentation: 'https://docs.litellm.ai/docs/providers/litellm_proxy',
  baseUrl: null,
  baseUrlVariable: 'LITELLM_PROXY_API_BASE',
  credentialVariable: 'LITELLM_PROXY_API_KEY',
  requiresCredential: false,
  dialects: {
    chat: ['openai-chat', 'openai-completions', 'openai-responses', 'anthropic-messages'],
    embedding: ['openai-embeddings'],
    rerank: ['cohere-rerank'],
    moderation: ['openai-moderations'],
    compaction: ['openai-compact'],
    image: ['openai-images', 'openai-image-edits', 'openai-image-variations'],
    realtime: ['openai-realtime'],
    speech: ['openai-speech'],
    transcription: ['openai-transcriptions', 'openai-translations'],
  },
  catalogueIds: [],
});
