import { defineProvider } from '../define.ts';

export const groq = defineProvider({
  id: 'groq',
  name: 'Groq',
  documentation: 'https://console.groq.com/docs/openai',
  baseUrl: 'https://api.groq.com/openai/v1',
  baseUrlVariable: 'GROQ_API_BASE',
  credentialVariable: 'GROQ_API_KEY',
  // https://groq.com/pricing
  unitPrices: {
    'whisper-large-v3': { second: 0.111 / 3_600 },
    'whisper-large-v3-turbo': { second: 0.04 / 3_600 },
  },
  dialects: {
    chat: ['openai-chat'],
    speech: ['openai-speech'],
    transcription: ['openai-transcriptions', 'openai-translations'],
  },
  // https://console.groq.com/docs/batch
  batchDesk: 'openai-batches',
  batchPriceRatio: 0.5,
  traits: () => ({ unsupportedParams: ['logprobs', 'logit_bias', 'top_logprobs'] }),
});
