import { defineProvider } from '../define.ts';

/** Any other server that speaks OpenAI's formats: SGLang, llama.cpp, LM Studio, LocalAI, another gateway. */
export const openaiLike = defineProvider({
  id: 'openai_like',
  name: 'OpenAI-compatible server',
  documentation: 'https://platform.openai.com/docs/api-reference',
  baseUrl: null,
  baseUrlVariable: 'OPENAI_LIKE_API_BASE',
  credentialVariable: 'OPENAI_LIKE_API_KEY',
  requiresCredential: false,
  dialects: {
    chat: ['openai-chat', 'openai-completions'],
    embedding: ['openai-embeddings'],
    moderation: ['openai-moderations'],
    rerank: ['jina-rerank'],
    image: ['openai-images', 'openai-image-edits', 'openai-image-variations'],
    realtime: ['openai-realtime'],
    speech: ['openai-speech'],
    transcription: ['openai-transcriptions', 'openai-translations'],
  },
  catalogueIds: [],
});
