import { defineProvider } from '../define.ts';

export const inferenceNet = defineProvider({
  id: 'inference_net',
  name: 'Inference.net',
  documentation: 'https://docs.inference.net/quickstart',
  aliases: ['inference-net'],
  baseUrl: 'https://api.inference.net/v1',
  baseUrlVariable: 'INFERENCE_NET_API_BASE',
  credentialVariable: 'INFERENCE_NET_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
});
