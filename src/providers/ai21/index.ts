import { defineProvider } from '../define.ts';

export const ai21 = defineProvider({
  id: 'ai21',
  name: 'AI21',
  documentation: 'https://docs.ai21.com/reference/jamba-1-6-api-ref',
  aliases: ['ai21_chat'],
  baseUrl: 'https://api.ai21.com/studio/v1',
  baseUrlVariable: 'AI21_API_BASE',
  credentialVariable: 'AI21_API_KEY',
  modelPrefixes: ['jamba-', 'j2-'],
  modelsPath: null,
});
