import { defineProvider } from '../define.ts';

export const lemonfoxAi = defineProvider({
  id: 'lemonfox_ai',
  name: 'Lemonfox',
  documentation: 'https://www.lemonfox.ai/apis/llama-llm-api',
  aliases: ['lemonfox-ai'],
  baseUrl: 'https://api.lemonfox.ai/v1',
  baseUrlVariable: 'LEMONFOX_API_BASE',
  credentialVariable: 'LEMONFOX_API_KEY',
  dialects: {
    chat: ['openai-chat'],
    speech: ['openai-speech'],
    transcription: ['openai-transcriptions'],
  },
});
