import { defineProvider } from '../define.ts';

export const cortecs = defineProvider({
  id: 'cortecs',
  name: 'Cortecs',
  documentation: 'https://docs.cortecs.ai/',
  baseUrl: 'https://api.cortecs.ai/v1',
  baseUrlVariable: 'CORTECS_API_BASE',
  credentialVariable: 'CORTECS_API_KEY',
});
