import { defineProvider } from '../define.ts';

export const aphrodite = defineProvider({
  id: 'aphrodite',
  name: 'Aphrodite Engine',
  documentation: 'https://aphrodite.pygmalion.chat/usage/openai',
  baseUrl: 'http://localhost:2242/v1',
  baseUrlVariable: 'APHRODITE_API_BASE',
  credentialVariable: 'APHRODITE_API_KEY',
  requiresCredential: false,
  dialects: { chat: ['openai-chat', 'openai-completions'] },
  catalogueIds: [],
});
