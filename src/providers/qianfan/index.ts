import { defineProvider } from '../define.ts';

export const qianfan = defineProvider({
  id: 'qianfan',
  name: 'Baidu Qianfan',
  documentation: 'https://cloud.baidu.com/doc/qianfan/s/Hmh4suq26',
  aliases: ['baidu'],
  baseUrl: 'https://qianfan.baidubce.com/v2',
  baseUrlVariable: 'QIANFAN_API_BASE',
  credentialVariable: 'QIANFAN_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
  modelPrefixes: ['ernie-'],
});
