import { defineProvider } from '../define.ts';

/** Its shared endpoints are closed; a service of your own has its own address: `api_base`. */
export const anyscale = defineProvider({
  id: 'anyscale',
  name: 'Anyscale',
  documentation: 'https://docs.anyscale.com/llm/serving',
  baseUrl: 'https://api.endpoints.anyscale.com/v1',
  baseUrlVariable: 'ANYSCALE_API_BASE',
  credentialVariable: 'ANYSCALE_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
});
