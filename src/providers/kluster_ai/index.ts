import { defineProvider } from '../define.ts';

export const klusterAi = defineProvider({
  id: 'kluster_ai',
  name: 'kluster.ai',
  documentation: 'https://docs.kluster.ai/get-started/openai-compatibility/',
  aliases: ['kluster-ai'],
  baseUrl: 'https://api.kluster.ai/v1',
  baseUrlVariable: 'KLUSTER_API_BASE',
  credentialVariable: 'KLUSTER_API_KEY',
});
