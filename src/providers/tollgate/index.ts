import { defineProvider } from '../define.ts';
import { gatewayDialects } from '../gateway-dialects.ts';

export const tollgate = defineProvider({
  id: 'tollgate',
  name: 'Another Tollgate',
  documentation: 'README.md',
  baseUrl: null,
  baseUrlVariable: 'TOLLGATE_UPSTREAM_API_BASE',
  credentialVariable: 'TOLLGATE_UPSTREAM_API_KEY',
  requiresCredential: false,
  dialects: gatewayDialects,
  catalogueIds: [],
});
