import { defineProvider } from '../define.ts';

export const friendliai = defineProvider({
  id: 'friendliai',
  name: 'Friendli',
  documentation: 'https://friendli.ai/docs/openapi/serverless/chat-completions',
  aliases: ['friendli'],
  baseUrl: 'https://api.friendli.ai/serverless/v1',
  baseUrlVariable: 'FRIENDLI_API_BASE',
  credentialVariable: 'FRIENDLI_TOKEN',
  dialects: { chat: ['openai-chat', 'openai-completions'] },
});
