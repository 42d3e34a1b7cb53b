import { defineProvider } from '../define.ts';

export const reka = defineProvider({
  id: 'reka',
  name: 'Reka',
  documentation: 'https://docs.reka.ai/chat/openai-sdk-compatibility',
  aliases: ['reka-ai'],
  baseUrl: 'https://api.reka.ai/v1',
  baseUrlVariable: 'REKA_API_BASE',
  credentialVariable: 'REKA_API_KEY',
  modelPrefixes: ['reka-'],
});
