import { defineProvider } from '../define.ts';

export const tgi = defineProvider({
  id: 'tgi',
  name: 'Text Generation Inference',
  documentation: 'https://huggingface.co/docs/text-generation-inference/messages_api',
  aliases: ['text-generation-inference'],
  baseUrl: 'http://localhost:3000/v1',
  baseUrlVariable: 'TGI_API_BASE',
  credentialVariable: 'TGI_API_KEY',
  requiresCredential: false,
  dialects: { chat: ['openai-chat', 'openai-completions'] },
  catalogueIds: [],
});
