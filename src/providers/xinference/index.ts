import { defineProvider } from '../define.ts';

export const xinference = defineProvider({
  id: 'xinference',
  name: 'Xinference',
  documentation: 'https://inference.readthedocs.io/en/latest/getting_started/using_xinference.html',
  baseUrl: 'http://localhost:9997/v1',
  baseUrlVariable: 'XINFERENCE_API_BASE',
  credentialVariable: 'XINFERENCE_API_KEY',
  requiresCredential: false,
  dialects: {
    chat: ['openai-chat', 'openai-completions'],
    embedding: ['openai-embeddings'],
    rerank: ['jina-rerank'],
    image: ['openai-images', 'openai-image-edits', 'openai-image-variations'],
    speech: ['openai-speech'],
    transcription: ['openai-transcriptions', 'openai-translations'],
  },
  catalogueIds: [],
});
