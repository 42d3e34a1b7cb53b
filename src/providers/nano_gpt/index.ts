import { defineProvider } from '../define.ts';

export const nanoGpt = defineProvider({
  id: 'nano_gpt',
  name: 'NanoGPT',
  documentation: 'https://docs.nano-gpt.com/api-reference/endpoint/chat-completion',
  aliases: ['nano-gpt'],
  baseUrl: 'https://nano-gpt.com/api/v1',
  baseUrlVariable: 'NANOGPT_API_BASE',
  credentialVariable: 'NANOGPT_API_KEY',
});
