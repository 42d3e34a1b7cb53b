import { defineProvider } from '../define.ts';

export const chutes = defineProvider({
  id: 'chutes',
  name: 'Chutes',
  documentation: 'https://chutes.ai/docs',
  baseUrl: 'https://llm.chutes.ai/v1',
  baseUrlVariable: 'CHUTES_API_BASE',
  credentialVariable: 'CHUTES_API_KEY',
  dialects: { chat: ['openai-chat', 'openai-completions'] },
});
