import { defineProvider } from '../define.ts';

export const tritonOpenai = defineProvider({
  id: 'triton_openai',
  name: 'Triton OpenAI frontend',
  documentation:
    'https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/client_guide/openai_readme.html',
  baseUrl: 'http://localhost:9000/v1',
  baseUrlVariable: 'TRITON_API_BASE',
  credentialVariable: 'TRITON_API_KEY',
  requiresCredential: false,
  dialects: { chat: ['openai-chat', 'openai-completions'] },
  catalogueIds: [],
});
