import type { ProviderDefinition } from './define.ts';

/** The formats that another gateway of this kind serves, whatever stands behind it. */
export const gatewayDialects: ProviderDefinition['dialects'] = {
  chat: ['openai-chat', 'openai-completions', 'openai-responses', 'anthropic-messages'],
  embedding: ['openai-embeddings'],
  rerank: ['cohere-rerank'],
  moderation: ['openai-moderations'],
  compaction: ['openai-compact'],
  image: ['openai-images', 'openai-image-edits', 'openai-image-variations'],
  realtime: ['openai-realtime'],
  speech: ['openai-speech'],
  transcription: ['openai-transcriptions', 'openai-translations'],
};
