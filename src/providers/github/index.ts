import { defineProvider } from '../define.ts';

export const github = defineProvider({
  id: 'github',
  name: 'GitHub Models',
  documentation: 'https://docs.github.com/en/rest/models/inference',
  aliases: ['github-models'],
  baseUrl: 'https://models.github.ai/inference',
  baseUrlVariable: 'GITHUB_API_BASE',
  credentialVariable: 'GITHUB_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
  modelsPath: null,
});
