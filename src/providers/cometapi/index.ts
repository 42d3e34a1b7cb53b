import { defineProvider } from '../define.ts';

export const cometapi = defineProvider({
  id: 'cometapi',
  name: 'CometAPI',
  documentation: 'https://apidoc.cometapi.com/',
  baseUrl: 'https://api.cometapi.com/v1',
  baseUrlVariable: 'COMETAPI_API_BASE',
  credentialVariable: 'COMETAPI_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
});
