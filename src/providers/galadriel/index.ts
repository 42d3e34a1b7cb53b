import { defineProvider } from '../define.ts';

export const galadriel = defineProvider({
  id: 'galadriel',
  name: 'Galadriel',
  documentation: 'https://docs.galadriel.com/api-reference/chat-completion-API',
  baseUrl: 'https://api.galadriel.com/v1',
  baseUrlVariable: 'GALADRIEL_API_BASE',
  credentialVariable: 'GALADRIEL_API_KEY',
});
