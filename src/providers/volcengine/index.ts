import { defineProvider } from '../define.ts';

export const volcengine = defineProvider({
  id: 'volcengine',
  name: 'Volcengine Ark',
  documentation: 'https://www.volcengine.com/docs/82379/1494384',
  aliases: ['ark'],
  baseUrl: 'https://ark.cn-beijing.volces.com/api/v3',
  baseUrlVariable: 'VOLCENGINE_API_BASE',
  credentialVariable: 'VOLCENGINE_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
  modelPrefixes: ['doubao-'],
});
