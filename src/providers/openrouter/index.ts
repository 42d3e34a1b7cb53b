import { bearer, defineProvider } from '../define.ts';

/** https://openrouter.ai/docs/api-reference/overview */
export const openrouter = defineProvider({
  id: 'openrouter',
  name: 'OpenRouter',
  baseUrl: 'https://openrouter.ai/api/v1',
  baseUrlVariable: 'OPENROUTER_API_BASE',
  credentialVariable: 'OPENROUTER_API_KEY',
  auth: bearer(),
  dialects: { chat: ['openai-chat', 'openai-completions'] },
});
