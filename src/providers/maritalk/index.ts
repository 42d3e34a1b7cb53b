import { defineProvider } from '../define.ts';

export const maritalk = defineProvider({
  id: 'maritalk',
  name: 'Maritaca AI',
  documentation: 'https://docs.maritaca.ai/en/openai-compatibility',
  baseUrl: 'https://chat.maritaca.ai/api',
  baseUrlVariable: 'MARITALK_API_BASE',
  credentialVariable: 'MARITALK_API_KEY',
  modelPrefixes: ['sabia-', 'sabiazinho-'],
});
