import { defineProvider } from '../define.ts';

export const gmi = defineProvider({
  id: 'gmi',
  name: 'GMI Cloud',
  documentation: 'https://docs.gmicloud.ai/inference-engine/api-reference/llm-api-reference',
  aliases: ['gmi_cloud'],
  baseUrl: 'https://api.gmi-serving.com/v1',
  baseUrlVariable: 'GMI_API_BASE',
  credentialVariable: 'GMI_API_KEY',
});
