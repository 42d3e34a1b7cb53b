import { defineProvider } from '../define.ts';

export const nvidiaNim = defineProvider({
  id: 'nvidia_nim',
  name: 'NVIDIA NIM',
  documentation: 'https://docs.api.nvidia.com/nim/reference/llm-apis',
  aliases: ['nvidia'],
  baseUrl: 'https://integrate.api.nvidia.com/v1',
  baseUrlVariable: 'NVIDIA_NIM_API_BASE',
  credentialVariable: 'NVIDIA_NIM_API_KEY',
  dialects: {
    chat: ['openai-chat', 'openai-completions'],
    embedding: ['nim-embeddings', 'openai-embeddings'],
    rerank: ['nim-ranking'],
  },
});
