import { defineProvider } from '../define.ts';

export const tensorrtLlm = defineProvider({
  id: 'tensorrt_llm',
  name: 'TensorRT-LLM',
  documentation: 'https://nvidia.github.io/TensorRT-LLM/commands/trtllm-serve/trtllm-serve.html',
  aliases: ['trtllm', 'triton'],
  baseUrl: 'http://localhost:8000/v1',
  baseUrlVariable: 'TENSORRT_LLM_API_BASE',
  credentialVariable: 'TENSORRT_LLM_API_KEY',
  requiresCredential: false,
  dialects: { chat: ['openai-chat', 'openai-completions'] },
  catalogueIds: [],
});
