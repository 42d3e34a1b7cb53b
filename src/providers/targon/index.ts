import { defineProvider } from '../define.ts';

export const targon = defineProvider({
  id: 'targon',
  name: 'Targon',
  documentation: 'https://docs.targon.com/',
  baseUrl: 'https://api.targon.com/v1',
  baseUrlVariable: 'TARGON_API_BASE',
  credentialVariable: 'TARGON_API_KEY',
  dialects: { chat: ['openai-chat', 'openai-completions'] },
});
