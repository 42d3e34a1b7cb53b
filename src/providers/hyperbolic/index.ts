import { defineProvider } from '../define.ts';

export const hyperbolic = defineProvider({
  id: 'hyperbolic',
  name: 'Hyperbolic',
  documentation: 'https://docs.hyperbolic.xyz/docs/rest-api',
  baseUrl: 'https://api.hyperbolic.xyz/v1',
  baseUrlVariable: 'HYPERBOLIC_API_BASE',
  credentialVariable: 'HYPERBOLIC_API_KEY',
  dialects: { chat: ['openai-chat', 'openai-completions'] },
  catalogueIds: ['huggingface_hyperbolic'],
});
