import { defineProvider } from '../define.ts';

export const metaLlama = defineProvider({
  id: 'meta_llama',
  name: 'Meta Llama API',
  documentation: 'https://llama.developer.meta.com/docs/features/compatibility',
  aliases: ['meta'],
  baseUrl: 'https://api.llama.com/compat/v1',
  baseUrlVariable: 'LLAMA_API_BASE',
  credentialVariable: 'LLAMA_API_KEY',
});
