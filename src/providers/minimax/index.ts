import { defineProvider } from '../define.ts';

export const minimax = defineProvider({
  id: 'minimax',
  name: 'MiniMax',
  documentation: 'https://platform.minimax.io/docs/api-reference/text-openai-api',
  baseUrl: 'https://api.minimax.io/v1',
  baseUrlVariable: 'MINIMAX_API_BASE',
  credentialVariable: 'MINIMAX_API_KEY',
  catalogueIds: ['minimax'],
  modelPrefixes: ['MiniMax-'],
});
