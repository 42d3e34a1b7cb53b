import { defineProvider } from '../define.ts';

export const crusoe = defineProvider({
  id: 'crusoe',
  name: 'Crusoe',
  documentation: 'https://docs.crusoecloud.com/managed-inference/overview',
  baseUrl: 'https://managed-inference-api-proxy.crusoecloud.com/v1',
  credentialVariable: 'CRUSOE_API_KEY',
  baseUrlVariable: 'CRUSOE_API_BASE',
});
