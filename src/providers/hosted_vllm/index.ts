import { defineProvider } from '../define.ts';

/** vLLM's own server */
export const hostedVllm = defineProvider({
  id: 'hosted_vllm',
  name: 'vLLM',
  documentation: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html',
  aliases: ['vllm'],
  baseUrl: null,
  baseUrlVariable: 'HOSTED_VLLM_API_BASE',
  credentialVariable: 'HOSTED_VLLM_API_KEY',
  requiresCredential: false,
  dialects: {
    chat: ['openai-chat', 'openai-completions'],
    embedding: ['openai-embeddings'],
    rerank: ['jina-rerank'],
    transcription: ['openai-transcriptions', 'openai-translations'],
  },
  catalogueIds: [],
  traits: () => ({
    continuation: { lastMessage: {}, body: { continue_final_message: true, add_generation_prompt: false } },
  }),
});
