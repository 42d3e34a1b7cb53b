import { defineProvider } from '../define.ts';

export const tollgate = defineProvider({
  id: 'tollgate',
  name: 'Another Tollgate',
  documentation: 'README.md',
  baseUrl: null,
  baseUrlVariable: 'TOLLGATE_UPSTREAM_API_BASE',
  credentialVariable: 'TOLLGATE_UPSTREAM_API_KEY',
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
