import { defineProvider } from '../define.ts';

export const deepseek = defineProvider({
  id: 'deepseek',
  name: 'DeepSeek',
  documentation: 'https://api-docs.deepseek.com/',
  baseUrl: 'https://api.deepseek.com',
  baseUrlVariable: 'DEEPSEEK_API_BASE',
  credentialVariable: 'DEEPSEEK_API_KEY',
  modelPrefixes: ['deepseek-'],
  traits: () => ({ supportsJsonSchema: false }),
});
