import { defineProvider } from '../define.ts';

export const siliconflow = defineProvider({
  id: 'siliconflow',
  name: 'SiliconFlow',
  documentation: 'https://docs.siliconflow.com/en/api-reference/chat-completions/chat-completions',
  baseUrl: 'https://api.siliconflow.com/v1',
  baseUrlVariable: 'SILICONFLOW_API_BASE',
  credentialVariable: 'SILICONFLOW_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
});
