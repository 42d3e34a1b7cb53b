import { defineProvider } from '../define.ts';

export const ovhcloud = defineProvider({
  id: 'ovhcloud',
  name: 'OVHcloud AI Endpoints',
  documentation: 'https://help.ovhcloud.com/csm/en-public-cloud-ai-endpoints-capabilities',
  aliases: ['ovhcloud-ai'],
  baseUrl: 'https://oai.endpoints.kepler.ai.cloud.ovh.net/v1',
  baseUrlVariable: 'OVHCLOUD_API_BASE',
  credentialVariable: 'OVHCLOUD_API_KEY',
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
  catalogueIds: ['ovhcloud'],
  requiresCredential: false,
});
