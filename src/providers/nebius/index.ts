import { defineProvider } from '../define.ts';

export const nebius = defineProvider({
  id: 'nebius',
  name: 'Nebius Token Factory',
  documentation: 'https://docs.tokenfactory.nebius.com/api-reference/introduction',
  baseUrl: 'https://api.tokenfactory.nebius.com/v1',
  baseUrlVariable: 'NEBIUS_API_BASE',
  credentialVariable: 'NEBIUS_API_KEY',
  dialects: { chat: ['openai-chat', 'openai-completions'], embedding: ['openai-embeddings'] },
  catalogueIds: ['huggingface_nebius'],
});
