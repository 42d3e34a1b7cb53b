import { bearer, defineProvider } from '../define.ts';

/** https://api-docs.deepseek.com/ */
export const deepseek = defineProvider({
  id: 'deepseek',
  name: 'DeepSeek',
  baseUrl: 'https://api.deepseek.com',
  baseUrlVariable: 'DEEPSEEK_API_BASE',
  credentialVariable: 'DEEPSEEK_API_KEY',
  auth: bearer(),
  dialects: { chat: ['openai-chat'] },
  modelPrefixes: ['deepseek-'],
  traits: () => ({ supportsJsonSchema: false }),
});
