import { defineProvider, keyHeader } from '../define.ts';

export const sarvam = defineProvider({
  id: 'sarvam',
  name: 'Sarvam AI',
  documentation: 'https://docs.sarvam.ai/api-reference-docs/chat/chat-completions',
  baseUrl: 'https://api.sarvam.ai/v1',
  baseUrlVariable: 'SARVAM_API_BASE',
  credentialVariable: 'SARVAM_API_KEY',
  auth: keyHeader('api-subscription-key'),
  modelPrefixes: ['sarvam-'],
});
