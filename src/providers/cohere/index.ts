import { defineProvider } from '../define.ts';

export const cohere = defineProvider({
  id: 'cohere',
  name: 'Cohere',
  documentation: 'https://docs.cohere.com/reference/about',
  checkedAgainst: 'cohere-ai 8.1.0; its page on transcriptions',
  baseUrl: 'https://api.cohere.com',
  baseUrlVariable: 'COHERE_API_BASE',
  credentialVariable: 'COHERE_API_KEY',
  // https://cohere.com/pricing
  unitPrices: { 'rerank-': { query: 0.002 } },
  dialects: {
    chat: ['cohere-chat'],
    embedding: ['cohere-embed'],
    rerank: ['cohere-rerank-v2'],
    transcription: ['cohere-transcription'],
  },
  path: ({ dialect }) =>
    ({
      'cohere-chat': '/v2/chat',
      'cohere-embed': '/v2/embed',
      'cohere-rerank-v2': '/v2/rerank',
      'cohere-transcription': '/v2/audio/transcriptions',
    })[dialect as 'cohere-chat'],
  usageInStream: 'always',
  modelPrefixes: ['command-', 'c4ai-', 'embed-', 'rerank-', 'cohere-transcribe-'],
  aliases: ['cohere_chat'],
  modelsPath: '/v1/models',
});
