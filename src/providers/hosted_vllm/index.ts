import { bearer, defineProvider } from '../define.ts';

/** vLLM's own server: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html */
export const hostedVllm = defineProvider({
  id: 'hosted_vllm',
  name: 'vLLM',
  aliases: ['vllm'],
  baseUrl: null,
  baseUrlVariable: 'HOSTED_VLLM_API_BASE',
  credentialVariable: 'HOSTED_VLLM_API_KEY',
  requiresCredential: false,
  auth: bearer(),
  dialects: { chat: ['openai-chat', 'openai-completions'], embedding: ['openai-embeddings'] },
  catalogueIds: [],
});
