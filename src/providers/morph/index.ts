import { defineProvider } from '../define.ts';

export const morph = defineProvider({
  id: 'morph',
  name: 'Morph',
  documentation: 'https://docs.morphllm.com/api-reference/endpoint/apply',
  baseUrl: 'https://api.morphllm.com/v1',
  baseUrlVariable: 'MORPH_API_BASE',
  credentialVariable: 'MORPH_API_KEY',
});
