import { defineProvider } from '../define.ts';

export const synthetic = defineProvider({
  id: 'synthetic',
  name: 'Synthetic',
  documentation: 'https://dev.synthetic.new/docs/api/overview',
  baseUrl: 'https://api.synthetic.new/openai/v1',
  baseUrlVariable: 'SYNTHETIC_API_BASE',
  credentialVariable: 'SYNTHETIC_API_KEY',
  dialects: { chat: ['openai-chat', 'openai-completions'] },
});
