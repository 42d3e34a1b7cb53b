import { defineProvider } from '../define.ts';

export const llamacpp = defineProvider({
  id: 'llamacpp',
  name: 'llama.cpp server',
  documentation: 'https://github.com/ggml-org/llama.cpp/tree/master/tools/server',
  aliases: ['llama_cpp', 'llamafile'],
  baseUrl: 'http://localhost:8080/v1',
  baseUrlVariable: 'LLAMACPP_API_BASE',
  credentialVariable: 'LLAMACPP_API_KEY',
  requiresCredential: false,
  dialects: { chat: ['openai-chat', 'openai-completions'], embedding: ['openai-embeddings'] },
  catalogueIds: [],
});
