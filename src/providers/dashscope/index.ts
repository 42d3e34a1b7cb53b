import { defineProvider } from '../define.ts';

export const dashscope = defineProvider({
  id: 'dashscope',
  name: 'DashScope',
  documentation: 'https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope',
  aliases: ['qwen'],
  baseUrl: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
  baseUrlVariable: 'DASHSCOPE_API_BASE',
  credentialVariable: 'DASHSCOPE_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
  modelPrefixes: ['qwen-', 'qwq-'],
});
