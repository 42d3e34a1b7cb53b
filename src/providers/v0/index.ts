import { defineProvider } from '../define.ts';

export const v0 = defineProvider({
  id: 'v0',
  name: 'Vercel v0',
  documentation: 'https://v0.dev/docs/api/model',
  baseUrl: 'https://api.v0.dev/v1',
  baseUrlVariable: 'V0_API_BASE',
  credentialVariable: 'V0_API_KEY',
});
