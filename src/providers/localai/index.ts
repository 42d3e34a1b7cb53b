import { defineProvider } from '../define.ts';

export const localai = defineProvider({
  id: 'localai',
  name: 'LocalAI',
  documentation: 'https://localai.io/docs/reference/',
  baseUrl: 'http://localhost:8080/v1',
  baseUrlVariable: 'LOCALAI_API_BASE',
  credentialVariable: 'LOCALAI_API_KEY',
  requiresCredential: false,
  dialects: {
    chat: ['openai-chat', 'openai-completions'],
    embedding: ['openai-embeddings'],
    image: ['openai-images'],
    speech: ['openai-speech'],
    transcription: ['openai-transcriptions', 'openai-translations'],
    rerank: ['jina-rerank'],
  },
  catalogueIds: [],
});
