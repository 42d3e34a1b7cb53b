import { defineProvider } from '../define.ts';

export const deepinfra = defineProvider({
  id: 'deepinfra',
  name: 'DeepInfra',
  documentation: 'https://deepinfra.com/docs/openai_api',
  baseUrl: 'https://api.deepinfra.com/v1/openai',
  baseUrlVariable: 'DEEPINFRA_API_BASE',
  credentialVariable: 'DEEPINFRA_API_KEY',
  dialects: {
    chat: ['openai-chat', 'openai-completions'],
    embedding: ['openai-embeddings'],
    image: ['openai-images'],
    speech: ['openai-speech'],
    transcription: ['openai-transcriptions', 'openai-translations'],
  },
});
