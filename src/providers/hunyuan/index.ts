import { defineProvider } from '../define.ts';

export const hunyuan = defineProvider({
  id: 'hunyuan',
  name: 'Tencent Hunyuan',
  documentation: 'https://cloud.tencent.com/document/product/1729/111007',
  baseUrl: 'https://api.hunyuan.cloud.tencent.com/v1',
  baseUrlVariable: 'HUNYUAN_API_BASE',
  credentialVariable: 'HUNYUAN_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
  modelPrefixes: ['hunyuan-'],
});
