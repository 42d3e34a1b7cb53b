import { defineProvider } from '../define.ts';

export const poe = defineProvider({
  id: 'poe',
  name: 'Poe',
  documentation: 'https://creator.poe.com/docs/external-applications/openai-compatible-api',
  baseUrl: 'https://api.poe.com/v1',
  baseUrlVariable: 'POE_API_BASE',
  credentialVariable: 'POE_API_KEY',
});
