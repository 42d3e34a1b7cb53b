import { defineProvider } from '../define.ts';

export const sglang = defineProvider({
  id: 'sglang',
  name: 'SGLang',
  documentation: 'https://docs.sglang.ai/basic_usage/openai_api.html',
  baseUrl: 'http://localhost:30000/v1',
  baseUrlVariable: 'SGLANG_API_BASE',
  credentialVariable: 'SGLANG_API_KEY',
  requiresCredential: false,
  dialects: { chat: ['openai-chat', 'openai-completions'], embedding: ['openai-embeddings'] },
  catalogueIds: [],
  traits: () => ({ continuation: { lastMessage: {}, body: { continue_final_message: true } } }),
});
