import { defineProvider } from '../define.ts';

export const perplexity = defineProvider({
  id: 'perplexity',
  name: 'Perplexity',
  documentation: 'https://docs.perplexity.ai/api-reference/chat-completions-post',
  aliases: ['perplexity-ai'],
  baseUrl: 'https://api.perplexity.ai',
  baseUrlVariable: 'PERPLEXITYAI_API_BASE',
  credentialVariable: 'PERPLEXITYAI_API_KEY',
  usageInStream: 'always',
  modelsPath: null,
});
