import { defineProvider } from '../define.ts';

export const openrouter = defineProvider({
  id: 'openrouter',
  name: 'OpenRouter',
  documentation: 'https://openrouter.ai/docs/api-reference/overview',
  baseUrl: 'https://openrouter.ai/api/v1',
  baseUrlVariable: 'OPENROUTER_API_BASE',
  credentialVariable: 'OPENROUTER_API_KEY',
  dialects: { chat: ['openai-chat', 'openai-completions'] },
});
