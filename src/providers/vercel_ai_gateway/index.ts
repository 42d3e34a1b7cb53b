import { defineProvider } from '../define.ts';

export const vercelAiGateway = defineProvider({
  id: 'vercel_ai_gateway',
  name: 'Vercel AI Gateway',
  documentation: 'https://vercel.com/docs/ai-gateway/openai-compat',
  aliases: ['vercel'],
  baseUrl: 'https://ai-gateway.vercel.sh/v1',
  baseUrlVariable: 'VERCEL_AI_GATEWAY_API_BASE',
  credentialVariable: 'VERCEL_AI_GATEWAY_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
});
