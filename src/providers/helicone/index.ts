import { defineProvider } from '../define.ts';

export const helicone = defineProvider({
  id: 'helicone',
  name: 'Helicone AI Gateway',
  documentation: 'https://docs.helicone.ai/gateway/overview',
  baseUrl: 'https://ai-gateway.helicone.ai/v1',
  baseUrlVariable: 'HELICONE_API_BASE',
  credentialVariable: 'HELICONE_API_KEY',
});
