import { defineProvider } from '../define.ts';
import { gatewayDialects } from '../gateway-dialects.ts';

export const litellmProxy = defineProvider({
  id: 'litellm_proxy',
  name: 'LiteLLM proxy',
  documentation: 'https://docs.litellm.ai/docs/providers/litellm_proxy',
  baseUrl: null,
  baseUrlVariable: 'LITELLM_PROXY_API_BASE',
  credentialVariable: 'LITELLM_PROXY_API_KEY',
  requiresCredential: false,
  dialects: gatewayDialects,
  catalogueIds: [],
});
