import { defineProvider } from '../define.ts';

export const lmdeploy = defineProvider({
  id: 'lmdeploy',
  name: 'LMDeploy',
  documentation: 'https://lmdeploy.readthedocs.io/en/latest/llm/api_server.html',
  baseUrl: 'http://localhost:23333/v1',
  baseUrlVariable: 'LMDEPLOY_API_BASE',
  credentialVariable: 'LMDEPLOY_API_KEY',
  requiresCredential: false,
  dialects: { chat: ['openai-chat', 'openai-completions'] },
  catalogueIds: [],
});
